"""The page of one run: how it ended, what it changed, its rows, its lines; and alerts."""

import logging
import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from egac.logs import REDACTED, KeptLines
from jobs.models import Alert, JobRun
from jobs.services import Start, run_job
from tests.invites.factories import make_invites
from tests.jobs.runs import ran
from tests.jobs.test_admin_jobs import text_of
from tests.staff import login

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def url_of(run: JobRun) -> str:
    return f"/admin/jobs/jobrun/{run.pk}/change/"


def page_of(run: JobRun) -> str:
    return text_of(login("Viewers"), url_of(run))


def result(count: int) -> dict[str, Any]:
    [invite] = make_invites(1)
    row = {"invite_id": str(invite.pk), "ok": True}
    return {"ok": True, "processed": count, "results": [row] * count, "left": 3, "note": "Wait."}


def test_says_how_it_ended_and_what_it_changed() -> None:
    page = page_of(ran(NOW, "retry_invites", result=result(2), actor="mia"))

    assert "✓ succeeded It came to its end, and every outcome was recorded." in page
    assert "Wait." in page
    assert "Processed 2" in page
    assert "Left 3" in page
    assert "Started by cron: mia" in page


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"status": "failed", "error": "No price."}, "✕ failed It failed. Mend the cause"),
        ({"status": "lost"}, "The next run takes its work up."),
        ({"status": "running", "finished_at": None}, "It is running right now."),
    ],
)
def test_says_what_to_do_next(fields: dict[str, Any], words: str) -> None:
    assert words in page_of(ran(NOW, **fields))


def test_a_dry_run_does_not_read_like_one_that_did_its_work() -> None:
    page = page_of(ran(NOW, "retry_invites", dry_run=True, result=result(2)))

    assert "It was a dry run: below stands what it would do, and nothing was changed." in page
    assert "every outcome was recorded" not in page


def test_its_rows_are_a_table_with_links_and_pages() -> None:
    run = ran(NOW, "retry_invites", result=result(120))
    viewer = login("Viewers")

    first = viewer.get(url_of(run)).content.decode()
    last = viewer.get(f"{url_of(run)}?rows=3").content.decode()

    assert "1 to 50 of 120" in first
    assert "101 to 120 of 120" in last
    assert len(re.findall(r'<td[^>]*><a href="/admin/invites/invite/[^"]+/change/">', last)) == 20


@pytest.mark.parametrize("rows", ["0", "-1", "x", "99", "9" * 30, "²"])
def test_a_page_that_is_none_is_the_nearest(rows: str) -> None:
    run = ran(NOW, "retry_invites", result=result(60))

    answer = login("Viewers").get(f"{url_of(run)}?rows={rows}")

    assert answer.status_code == 200
    assert re.search(r"(1 to 50|51 to 60) of 60", answer.content.decode())


@pytest.mark.parametrize("stored", [None, {}, [], {"results": [1, "two", None]}])
def test_any_result_can_be_shown(stored: Any) -> None:
    assert "Log" in page_of(ran(NOW, result=stored))


def test_markup_in_a_result_is_text() -> None:
    run = ran(NOW, result={"results": [{"error": "<script>alert(1)</script>"}]}, log="<b>x</b>")

    page = login("Viewers").get(url_of(run)).content.decode()

    assert "<script>alert" not in page
    assert "<b>x</b>" not in page


def test_a_run_that_is_gone_says_so() -> None:
    answer = login("Viewers").get("/admin/jobs/jobrun/999/change/", follow=True)

    assert "There is no such run." in answer.content.decode()


# The lines of a run


START = Start(trigger="cron", actor="cron", business_on=NOW.date())


def lines_of(work: Any) -> str:
    """Run and return the lines that were kept; one that fails has them, too."""
    with suppress(ValueError):
        run_job("retry_invites", START, work)
    return JobRun.objects.latest("pk").log


def test_the_lines_of_a_run_are_kept_with_it_and_name_it() -> None:
    def work() -> dict[str, Any]:
        logging.getLogger("egac").info("the pool is %s", "cold")
        return {}

    lines = lines_of(work)

    assert re.search(rf"INFO egac run {JobRun.objects.get().pk}: the pool is cold$", lines)


def test_a_traceback_is_kept_without_secrets(settings: Settings) -> None:
    settings.RESEND_API_KEY = "re_very_secret"

    def work() -> dict[str, Any]:
        raise ValueError("re_very_secret was refused")

    lines = lines_of(work)

    assert "Traceback" in lines
    assert f"ValueError: {REDACTED} was refused" in lines


def test_a_line_that_no_database_takes_is_kept_all_the_same() -> None:
    kept = KeptLines(1)

    kept.add("half \udc80 and \0 nothing")

    assert kept.text == "half ? and  nothing"


def test_lines_of_others_are_none_of_its() -> None:
    logging.getLogger("egac").info("before")

    assert lines_of(dict) == ""


def test_of_too_many_lines_the_first_and_the_last_are_kept() -> None:
    kept = KeptLines(1)

    for number in range(1000):
        kept.add(f"line {number}")

    lines = kept.text.splitlines()
    assert (lines[0], lines[99], lines[-1]) == ("line 0", "line 99", "line 999")
    assert lines[100] == "… 600 lines left out …"
    assert len(lines) == 401


# Alerts


def alert(**fields: Any) -> Alert:
    return Alert.objects.create(
        **{
            "cause": "pool",
            "sentence": "The pool is cold.",
            "next_step": "Heat it.",
            "page": "/admin/invites/invite/",
            "opened_at": NOW,
            "last_seen_at": NOW,
            **fields,
        }
    )


def alerts_page(client: Client | None = None, query: str = "") -> str:
    return text_of(client or login("Viewers"), f"/admin/jobs/alert/{query}")


def test_open_alerts_stand_first_each_with_what_to_do() -> None:
    alert(cause="old", sentence="The gate was open.", closed_at=NOW + timedelta(hours=1))
    alert(opened_at=NOW - timedelta(days=3))

    page = alerts_page()

    assert page.index("The pool is cold.") < page.index("The gate was open.")
    assert "✕ open Heat it." in page
    assert "✓ over Nothing: it closed by itself." in page


@pytest.mark.parametrize(
    ("query", "shown"), [("?state=open", "The pool is cold."), ("?state=closed", "The gate")]
)
def test_alerts_are_filtered_by_their_state(query: str, shown: str) -> None:
    alert(cause="old", sentence="The gate was open.", closed_at=NOW)
    alert()

    page = alerts_page(query=query)

    assert {"The pool is cold.", "The gate"} & {shown} == {
        words for words in ("The pool is cold.", "The gate") if words in page
    }


def test_an_alert_says_who_was_told(settings: Settings) -> None:
    settings.OPSGENIE_API_KEY = "genie"
    told = {"opened_at": NOW.isoformat(), "said": "x", "said_at": NOW.isoformat()}
    failure = {"error": "Slack answered 404: no_service", "failed_at": NOW.isoformat()}
    row = alert(told={"GitHub": told, "Slack": failure})

    page = text_of(login("Viewers"), f"/admin/jobs/alert/{row.pk}/change/")

    assert re.search(r"GitHub told (an?|\d+) \w+", page)
    assert "Slack could not be told: Slack answered 404: no_service" in page
    assert "Opsgenie not told yet" in page
    assert "e-mail not configured" in page


def test_an_empty_list_of_alerts_says_that_nothing_is_wrong() -> None:
    assert "Nothing is wrong, and nothing was." in alerts_page()
