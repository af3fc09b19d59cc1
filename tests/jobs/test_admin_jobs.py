"""The pages of jobs: how each stands, its buttons, and what came of a run."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from jobs.command import command_of
from jobs.models import Alert, JobPause, JobRun
from jobs.registry import JOBS
from jobs.services import pause_job
from tests.invites.factories import make_invites
from tests.jobs.runs import ran
from tests.providers.server import ProviderServer
from tests.staff import login

pytestmark = pytest.mark.django_db

LIST = "/admin/jobs/scheduledjob/"
JOB = f"{LIST}retry_invites/"
NOW = datetime.now(UTC)


def text_of(client: Client, url: str) -> str:
    """Return what a page says, without its tags."""
    answer = client.get(url)
    assert answer.status_code == 200
    _, _, content = answer.content.decode().partition('<div id="content"')
    return " ".join(re.sub(r"<[^>]+>", " ", content).split())


def messages_of(answer: Any) -> str:
    return " ".join(str(message) for message in answer.context["messages"])


# The list and the page of a job


def test_the_list_shows_every_job_with_its_schedule_and_how_it_stands() -> None:
    ran(NOW, "retry_invites", result={"processed": 12, "left": 0})
    pause_job("run_worker_queue", by="mia")

    page = text_of(login("Viewers"), LIST)

    assert all(job.title.replace("'", "&#x27;") in page for job in JOBS.values())
    assert "Send due invites every 15 minutes ✓ on time" in page
    assert "12 processed, 0 left." in page
    assert "– paused" in page
    assert "when it is resumed" in page


@pytest.mark.parametrize(
    ("at", "fields", "words"),
    [
        (NOW, {}, "✓ on time"),
        (NOW - timedelta(hours=3), {}, "✕ late"),
        (NOW, {"status": "failed", "error": "The key is refused."}, "✕ failed The key is refused."),
        (NOW, {"status": "running", "finished_at": None}, "◐ running"),
    ],
)
def test_a_job_says_how_it_stands(at: datetime, fields: dict[str, Any], words: str) -> None:
    ran(NOW - timedelta(hours=4), "retry_invites")
    if fields:
        ran(NOW - timedelta(minutes=1), "retry_invites")
    ran(at, "retry_invites", **fields)

    assert words in text_of(login("Viewers"), JOB)


def test_a_job_that_never_ran_says_what_would_be_here() -> None:
    page = text_of(login("Viewers"), JOB)

    assert "It has not run yet. Its runs show here" in page
    assert "It runs next on" in page


def test_a_job_names_its_open_alert_and_what_to_do() -> None:
    alert = Alert.objects.create(
        cause="job:retry_invites", next_step="Mend the key.", opened_at=NOW, last_seen_at=NOW
    )

    page = login("Viewers").get(JOB).content.decode()

    assert "What to do: Mend the key." in page
    assert f"/admin/jobs/alert/{alert.pk}/change/" in page


def test_the_history_is_a_drawing_with_words() -> None:
    ran(NOW, "retry_invites")
    ran(NOW - timedelta(hours=1), "retry_invites", status="failed")

    page = login("Viewers").get(JOB).content.decode()

    assert 'role="img" aria-label="The last 2 runs, since' in page
    assert "<title>" in page.partition('<svg class="ops-chart"')[2].partition("</svg>")[0]
    assert ">✕</text>" in page


@pytest.mark.parametrize(
    ("group", "buttons"),
    [("Viewers", []), ("Operators", ["Run now"]), ("Managers", ["Run now", "Pause"])],
)
def test_each_group_sees_the_buttons_it_may_press(group: str, buttons: list[str]) -> None:
    page = login(group).get(JOB).content.decode()

    assert re.findall(r'<a class="button"[^>]*>([^<]+)</a>', page) == buttons


def test_a_job_that_is_unknown_is_not_found() -> None:
    assert login("Viewers").get(f"{LIST}no_such_job/").status_code == 404


def test_23_the_list_asks_a_fixed_number_of_questions() -> None:
    for job in JOBS:
        for hour in range(30):
            ran(NOW - timedelta(hours=hour), job, result={"results": [{"ok": True}] * 100})
    viewer = login("Viewers")

    with CaptureQueriesContext(connection) as asked:
        viewer.get(LIST)

    assert len(asked) < 25


# Pause and resume

WHY = {"reason": "It is repaired."}


def test_a_manager_pauses_and_resumes() -> None:
    manager = login("Managers")

    paused = manager.post(f"{JOB}pause/", WHY, follow=True)
    told = JobPause.objects.get()
    resumed = manager.post(f"{JOB}resume/", WHY, follow=True)

    assert messages_of(paused) == "Send due invites: paused."
    assert told.paused_by.startswith("managers")
    assert messages_of(resumed) == "Send due invites: resumed."
    assert not JobPause.objects.open().exists()


def test_the_page_says_who_paused_it_and_keeps_what_staff_did() -> None:
    login("Managers").post(f"{JOB}pause/", WHY)

    page = text_of(login("Viewers"), JOB)

    assert re.search(r"Paused by managers\d+", page)
    assert re.search(r"Staff actions managers\d+: Pause: 1 of 1\. Reason: It is repaired", page)


@pytest.mark.parametrize("button", ["pause", "resume"])
def test_neither_is_done_without_a_reason(button: str) -> None:
    if button == "resume":
        pause_job("retry_invites", by="mia")

    answer = login("Managers").post(f"{JOB}{button}/", {"reason": " "})

    assert "Write a reason." in answer.content.decode()
    assert JobPause.objects.open().exists() == (button == "resume")
    assert not LogEntry.objects.exists()


def test_a_second_press_changes_nothing_and_says_so() -> None:
    pause_job("retry_invites", by="mia")

    answer = login("Managers").post(f"{JOB}pause/", WHY, follow=True)

    assert "Nothing was changed" in messages_of(answer)
    assert JobPause.objects.get().paused_by == "mia"
    assert not LogEntry.objects.exists()


def test_asking_changes_nothing() -> None:
    manager = login("Managers")

    asked = [manager.get(f"{JOB}{page}/").status_code for page in ("run", "pause", "resume")]

    assert asked == [200, 200, 200]
    assert not JobPause.objects.open().exists()
    assert not JobRun.objects.exists()


# Run now


@pytest.mark.django_db(transaction=True)
def test_run_now_runs_the_same_command_and_shows_its_run(provider: ProviderServer) -> None:
    make_invites(2)

    answer = login("Operators").post(f"{JOB}run/", follow=True)

    run = JobRun.objects.get()
    assert (run.trigger, run.status, len(provider.resend.accepted)) == ("admin", "succeeded", 2)
    assert run.actor.startswith("operators")
    assert answer.redirect_chain[-1][0] == f"/admin/jobs/jobrun/{run.pk}/change/"
    assert messages_of(answer) == "Invites: 2 sent. None is left to send now."


@pytest.mark.django_db(transaction=True)
def test_a_dry_run_sends_nothing(provider: ProviderServer) -> None:
    make_invites(1)

    answer = login("Operators").post(f"{JOB}run/", {"dry_run": "on"}, follow=True)

    assert provider.resend.calls == []
    assert JobRun.objects.get().dry_run
    assert "What it would change" in answer.content.decode()


@pytest.mark.parametrize("job", JOBS)
def test_the_page_that_runs_a_job_offers_to_show_first_what_that_would_do(job: str) -> None:
    page = login("Operators").get(f"{LIST}{job}/run/").content.decode()

    [row] = re.findall(r'<div class="submit-row">(.*?)</div>', page, flags=re.S)
    dry = re.findall(r'name="dry_run" value="on" class="button ops-safe">([^<]*)<', row)
    expected = ["Show what it would do"] if command_of(job).can_dry_run else []
    assert dry == expected
    assert re.findall(r'class="button default">([^<]*)<', row) == ["Run now"]


@pytest.mark.django_db(transaction=True)
def test_a_dry_run_leads_to_the_run_of_the_same_day(provider: ProviderServer) -> None:
    url = f"{LIST}escalate_overdue_bookings/run/"
    shown = login("Operators").post(url, {"date": "2026-11-02", "dry_run": "on"}, follow=True)

    [leads_to] = re.findall(r'href="([^"]*)">Now run it<', shown.content.decode())

    assert leads_to == f"{url}?date=2026-11-02"
    assert 'value="2026-11-02"' in login("Operators").get(leads_to).content.decode()


@pytest.mark.parametrize(
    ("group", "fields"),
    [
        ("Viewers", {"dry_run": True}),
        ("Operators", {}),
        ("Operators", {"dry_run": True, "status": "failed"}),
    ],
    ids=["who may not run it", "a real run", "a dry run that failed"],
)
def test_other_runs_lead_to_no_run(group: str, fields: dict[str, Any]) -> None:
    run = ran(NOW, "retry_invites", **fields)

    page = login(group).get(f"/admin/jobs/jobrun/{run.pk}/change/").content.decode()

    assert "Now run it" not in page


@pytest.mark.django_db(transaction=True)
def test_the_options_that_were_chosen_stand_in_the_history(provider: ProviderServer) -> None:
    login("Operators").post(f"{JOB}run/", {"limit": "5", "dry_run": "on", **WHY})

    told = LogEntry.objects.get().change_message
    assert told == "Run now (dry run, limit 5). Reason: It is repaired."


@pytest.mark.parametrize(
    ("job", "name", "value"),
    [("retry_invites", "limit", value) for value in ("0", "-1", "abc", "1001")]
    + [("escalate_overdue_bookings", "date", value) for value in ("9999-12-31", "31.12.26")],
)
def test_a_value_that_cannot_be_used_is_asked_for_again(job: str, name: str, value: str) -> None:
    answer = login("Operators").post(f"{LIST}{job}/run/", {name: value})

    assert answer.status_code == 200
    assert "ops-warning" in answer.content.decode()
    assert not JobRun.objects.exists()


def test_only_what_a_job_takes_is_asked() -> None:
    page = login("Operators").get(f"{LIST}check_invite_stats/run/").content.decode()

    assert not re.search(r'name="(dry_run|date|limit|force)"', page)


@pytest.mark.django_db(transaction=True)
def test_a_job_that_runs_already_is_not_started_again() -> None:
    # Not NOW: on a busy machine minutes have passed since this file was read.
    lease_ends_at = datetime.now(UTC) + timedelta(minutes=5)
    ran(NOW, "check_invite_stats", status="running", lease_ends_at=lease_ends_at)

    answer = login("Operators").post(f"{LIST}check_invite_stats/run/", follow=True)

    assert "is running already" in messages_of(answer)
    assert JobRun.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_setting_that_is_missing_is_named(settings: Settings) -> None:
    settings.RESEND_API_KEY = ""

    answer = login("Operators").post(f"{JOB}run/", follow=True)

    assert "set RESEND_API_KEY" in messages_of(answer)


@pytest.mark.django_db(transaction=True)
def test_a_person_may_run_a_paused_job(provider: ProviderServer) -> None:
    pause_job("retry_invites", by="mia")
    operator = login("Operators")

    asked = operator.get(f"{JOB}run/").content.decode()
    operator.post(f"{JOB}run/")

    assert "It is paused; you may run it all the same." in asked
    assert JobRun.objects.get().status == "succeeded"
