"""What several ask at one moment is asked once, and anew at the next."""

from datetime import UTC, datetime

from egac.moment import Moment

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


class Questions:
    """Questions that count how often they are asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def nothing(self) -> str:
        self.asked.append("")
        return "of nothing"

    def of(self, what: str) -> str | None:
        self.asked.append(what)
        return what or None


def test_a_question_is_asked_once_a_moment() -> None:
    questions, moment = Questions(), Moment(NOON)

    answers = [moment.once(questions.nothing) for _ in range(3)]

    assert (answers, questions.asked) == (["of nothing"] * 3, [""])


def test_a_question_about_something_else_is_another() -> None:
    questions, moment = Questions(), Moment(NOON)

    answers = [moment.once(questions.of, what) for what in ("a", "b", "a")]

    assert (answers, questions.asked) == (["a", "b", "a"], ["a", "b"])


def test_that_there_is_nothing_is_an_answer_too() -> None:
    questions, moment = Questions(), Moment(NOON)

    answers = [moment.once(questions.of, "") for _ in range(2)]

    assert (answers, questions.asked) == ([None, None], [""])


def test_the_next_moment_asks_anew() -> None:
    questions = Questions()

    for _ in range(2):
        Moment(NOON).once(questions.nothing)

    assert questions.asked == ["", ""]
