"""Sent and failed tries as a drawing: what is drawn, told and listed are the same figures."""

from hypothesis import given, settings
from hypothesis import strategies as st

from egac.console.columns import HEIGHT, SHORTEST, Point, columns_of

tries = st.integers(0, 100_000)
points = st.lists(st.tuples(tries, tries), max_size=31).map(
    lambda pairs: [Point(f"{place}:00", *pair) for place, pair in enumerate(pairs)]
)


@settings(deadline=None, max_examples=60)
@given(points)
def test_what_is_there_shows_and_what_is_not_does_not(times: list[Point]) -> None:
    for column in columns_of(times, title="").columns:
        assert (column.sent_height > 0) == (column.point.sent > 0)
        assert (column.failed_height > 0) == (column.point.failed > 0)


@settings(deadline=None, max_examples=60)
@given(points)
def test_more_is_never_drawn_lower_and_nothing_leaves_the_drawing(times: list[Point]) -> None:
    columns = columns_of(times, title="").columns

    by_sent = sorted(columns, key=lambda column: column.point.sent)
    heights = [column.sent_height for column in by_sent]
    assert heights == sorted(heights)
    for column in columns:
        assert column.sent_height + column.failed_height <= HEIGHT + SHORTEST
        assert column.mark_y > 0


@settings(deadline=None, max_examples=60)
@given(points)
def test_the_words_tell_every_try(times: list[Point]) -> None:
    words = columns_of(times, title="").words

    sent, failed = sum(each.sent for each in times), sum(each.failed for each in times)
    told = words if sent + failed else "0 sent, 0 failed tries"
    assert told.startswith(f"{sent:,} sent, {failed:,} failed tr")


def test_the_words_name_the_busiest_time() -> None:
    drawn = columns_of([Point("09:00 GMT", 3, 1), Point("10:00 GMT", 40, 0)], title="E-mail")

    assert drawn.words == ("43 sent, 1 failed try. Most at 10:00 GMT: 40 sent, 0 failed tries.")
    assert columns_of([Point("09:00 GMT", 0, 0)], title="").words == "Nothing was sent."
