"""One issue a cause, found by its fingerprint; what was said, and when, is read from GitHub."""

from datetime import UTC, datetime, timedelta

import pytest
from pytest_django.fixtures import Settings

from egac.providers import Cause, ProviderError
from egac.providers.github import (
    Trouble,
    fingerprint,
    report_trouble,
    resolve_trouble,
)
from tests.providers.faults import Fault, always, fail_next
from tests.providers.github import Comment, GitHub
from tests.providers.server import ProviderServer

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
MINUTES, HOURS = timedelta(minutes=1), timedelta(hours=1)
FAILED = "failed_invites"


@pytest.fixture
def github(alarms: ProviderServer) -> GitHub:
    alarms.github.now = NOON
    return alarms.github


def report(sentence: str = "3 invites have failed.", *, cause: str = FAILED) -> None:
    """Report as at noon."""
    report_trouble(Trouble(cause, sentence, "What to do: open them."), now=NOON)


def report_at(github: GitHub, now: datetime, sentence: str = "3 invites have failed.") -> None:
    github.now = now
    report_trouble(Trouble(FAILED, sentence, "What to do: open them."), now=now)


def resolve(now: datetime = NOON) -> None:
    resolve_trouble(FAILED, sentence="It is over.", now=now)


def test_opens_an_issue_with_the_label_and_a_fingerprint(github: GitHub) -> None:
    report()

    [issue] = github.issues
    assert (issue.title, issue.labels) == ("3 invites have failed.", ["monitoring"])
    assert fingerprint(FAILED) in issue.body
    assert "What to do: open them." in issue.body


def test_mentions_whom_the_setting_names(github: GitHub, settings: Settings) -> None:
    settings.MONITORING_MENTION = "@club/ops"

    report()
    report_at(github, NOON + 25 * HOURS)

    [issue] = github.issues
    assert issue.body.startswith("@club/ops")
    assert issue.comments[0].body.startswith("@club/ops")


def test_mentions_nobody_whom_an_error_names(github: GitHub) -> None:
    report("It failed: @everyone <!-- egac-alert: other -->")

    [issue] = github.issues
    assert "@everyone" not in issue.body + issue.title
    assert fingerprint("other") not in issue.body


def test_says_the_same_thing_once(github: GitHub) -> None:
    report()

    report_at(github, NOON + 15 * MINUTES)

    [issue] = github.issues
    assert issue.comments == []


def test_comments_on_a_change_at_once(github: GitHub) -> None:
    report()

    report_at(github, NOON + 15 * MINUTES, "4 invites have failed.")

    [issue] = github.issues
    assert "4 invites have failed." in issue.comments[0].body


def test_comments_once_a_day_at_most_whatever_changes(github: GitHub) -> None:
    for quarter in range(96):
        report_at(github, NOON + quarter * 15 * MINUTES, f"{quarter % 7} invites have failed.")

    [issue] = github.issues
    assert len(issue.comments) == 1


def test_says_after_a_day_that_it_lasts(github: GitHub) -> None:
    report()

    report_at(github, NOON + 24 * HOURS)
    report_at(github, NOON + 30 * HOURS)

    [issue] = github.issues
    assert len(issue.comments) == 1


def test_a_comment_of_a_person_is_none_of_ours(github: GitHub) -> None:
    report()
    [issue] = github.issues
    issue.comments.append(Comment(1, "I look into it.", NOON + 23 * HOURS))

    report_at(github, NOON + 24 * HOURS)

    assert [comment.body[:16] for comment in issue.comments] == [
        "I look into it.",
        "3 invites have f",
    ]


def test_each_cause_has_an_issue_of_its_own(github: GitHub) -> None:
    report()
    report("The monitor is blind.", cause="monitor_blind")

    assert [issue.title for issue in github.issues] == [
        "3 invites have failed.",
        "The monitor is blind.",
    ]


def test_a_pull_request_is_no_issue(github: GitHub) -> None:
    github.add(fingerprint(FAILED), is_pull_request=True)

    report()

    assert [issue.is_pull_request for issue in github.issues] == [True, False]


def test_an_issue_of_somebody_else_is_left_alone(github: GitHub) -> None:
    github.add("Please monitor the pool, too.")

    report()
    resolve()

    assert [issue.state for issue in github.issues] == ["open", "closed"]


def test_finds_its_issue_behind_many_others(github: GitHub) -> None:
    report()
    for _ in range(70):
        github.add("Another one.")

    report_at(github, NOON + 15 * MINUTES)

    assert len(github.issues) == 71


def test_closes_the_issue_with_a_comment(github: GitHub) -> None:
    report()

    resolve()
    resolve()

    [issue] = github.issues
    assert issue.state == "closed"
    assert [comment.body.splitlines()[0] for comment in issue.comments] == ["It is over."]


def test_a_cause_that_comes_and_goes_is_one_issue_with_few_words(github: GitHub) -> None:
    for quarter in range(96):
        now = github.now = NOON + quarter * 15 * MINUTES
        if quarter % 2:
            resolve(now)
        else:
            report_at(github, now, f"{quarter} invites have failed.")

    [issue] = github.issues
    assert issue.state == "closed"
    assert [comment.body.splitlines()[0] for comment in issue.comments] == ["It is over."]


def test_one_that_comes_back_late_or_for_another_cause_is_a_new_issue(github: GitHub) -> None:
    report()
    resolve()

    report("The monitor is blind.", cause="monitor_blind")
    report_at(github, NOON + 25 * HOURS)

    assert [issue.state for issue in github.issues] == ["closed", "open", "open"]


def test_an_issue_that_would_not_be_found_again_is_closed_at_once(github: GitHub) -> None:
    github.takes_labels = False

    with pytest.raises(ProviderError, match="dropped the label 'monitoring'"):
        report()

    assert [issue.state for issue in github.issues] == ["closed"]


@pytest.mark.parametrize(
    ("fault", "cause", "seconds"),
    [
        (Fault.error(429, "429", "Slow down.", retry_after="90"), Cause.RATE_LIMIT, 90),
        (Fault.error(403, "403", "Secondary limit.", retry_after="60"), Cause.RATE_LIMIT, 60),
        (Fault.error(403, "403", "Used up.", x_ratelimit_remaining="0"), Cause.RATE_LIMIT, 60),
        (Fault.error(429, "429", "Slow down."), Cause.RATE_LIMIT, 60),
        (Fault.error(403, "403", "Not accessible by token."), Cause.CREDENTIALS, None),
        (Fault.error(404, "404", "Not Found"), Cause.CREDENTIALS, None),
        (Fault.error(422, "422", "Validation Failed"), Cause.MESSAGE, None),
        (Fault.unavailable(), Cause.UNAVAILABLE, None),
        (Fault.html_502(), Cause.UNAVAILABLE, None),
        (Fault.redirect(), Cause.MESSAGE, None),
    ],
)
def test_tells_what_a_refusal_means(
    github: GitHub, fault: Fault, cause: Cause, seconds: float | None
) -> None:
    github.faults = always(fault)

    with pytest.raises(ProviderError) as raised:
        report()

    assert (raised.value.cause, raised.value.retry_after) == (cause, seconds)
    assert github.issues == []


def test_waits_until_the_hour_that_a_used_up_limit_names(github: GitHub) -> None:
    reset = str(int(datetime.now(UTC).timestamp()) + 1_800)
    used_up = {"x_ratelimit_remaining": "0", "x_ratelimit_reset": reset}
    github.faults = always(Fault.error(403, "403", "API rate limit exceeded", **used_up))

    with pytest.raises(ProviderError) as raised:
        report()

    assert raised.value.retry_after == pytest.approx(1_800, abs=60)


def test_says_what_to_do_where_issues_are_turned_off(github: GitHub) -> None:
    github.has_issues = False

    with pytest.raises(ProviderError, match="issues are turned off in club/ops; turn them on") as e:
        report()

    assert e.value.permanent


def test_an_answer_that_was_lost_opens_no_second_issue(github: GitHub) -> None:
    github.faults = fail_next(None, Fault.reset_after_accepting())
    with pytest.raises(ProviderError):
        report()

    report()

    assert len(github.issues) == 1


def test_names_no_token_in_an_error(github: GitHub) -> None:
    github.faults = always(Fault.error(401, "401", "Bad credentials: ghp_for_tests"))

    with pytest.raises(ProviderError) as raised:
        report()

    assert "ghp_for_tests" not in str(raised.value)
