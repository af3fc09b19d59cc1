"""The dashboard says what stands in the rows, to who may know it, in few questions."""

import html
import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django.fixtures import Settings

from egac import channels
from egac.console.columns import HEAD, HEIGHT
from egac.console.dashboard import PANELS
from egac.models import MessageAudit
from egac.providers import Cause, ProviderError
from invites.models import Invite
from jobs.models import Alert, JobRun
from jobs.services import pause_job
from notifications.models import Notification, Worker
from tests.egac.panels import drawn, refreshed, shown
from tests.egac.test_figures import attempt
from tests.invites.factories import InviteFactory
from tests.jobs.looks import NOON
from tests.jobs.runs import ran
from tests.notifications.factories import email, queue, queue_whatsapps, whatsapp
from tests.providers.server import ProviderServer
from tests.staff import login

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def configured(provider: ProviderServer) -> None:
    """Nothing is missing, so nothing is held."""


@pytest.fixture
def worker() -> Worker:
    return Worker.objects.create(name="host:1", kind=Worker.Kind.LOOP)


# Queue and invites


def test_a_row_that_ends_moves_from_one_count_to_the_other(worker: Worker) -> None:
    row = queue(email())
    before = shown("queue")

    Notification.objects.filter(pk=row.pk).update(status="failed")

    assert "1 ○ pending 0 ◐ being sent 0 ✓ completed 0 ✕ failed" in before
    assert "0 ○ pending 0 ◐ being sent 0 ✓ completed 1 ✕ failed" in shown("queue")


@pytest.mark.parametrize(
    ("is_so", "sentence"),
    [
        (lambda: channels.pause("whatsapp", by="maya"), "paused by maya. Resume it to send them."),
        (lambda: Worker.objects.update(stopped_at=NOON), "The last worker was stopped"),
        (lambda: Worker.objects.all().delete(), "No worker was ever seen: ask whoever runs"),
        (lambda: None, "12 messages are due: done within a minute at 20 calls a second."),
    ],
    ids=["paused", "stopped", "no worker", "a worker"],
)
def test_the_forecast_follows_the_rows(
    worker: Worker, settings: Settings, is_so: Any, sentence: str
) -> None:
    settings.WHATSAPP_RATE_LIMIT = 20.0
    queue_whatsapps(12)
    queue(whatsapp(), due_at=timezone.now() + timedelta(days=1))

    is_so()

    assert sentence in shown("queue")
    assert "1 more waits for its time." in shown("queue")


def test_the_forecast_follows_a_switch(worker: Worker, settings: Settings) -> None:
    queue(email())
    settings.SENDING = False

    assert "1 message waits. Sending is switched off (SENDING=off)" in shown("queue")
    assert shown("queue").count("Nothing is due.") == 1


def test_the_forecast_knows_what_is_left_of_todays_quota(
    worker: Worker, settings: Settings
) -> None:
    settings.RESEND_DAILY_QUOTA = 3
    queue(email())
    queue(email())
    attempt(at=timezone.now()).save()

    before = shown("queue")
    attempt(at=timezone.now(), outcome="unknown").save()
    attempt(at=timezone.now(), channel="whatsapp").save()
    attempt(at=timezone.now(), outcome="refused").save()
    attempt(at=timezone.now() - timedelta(days=1)).save()

    assert "Today's quota is enough, with 2 of 3 left." in before
    assert "Today's quota is not enough, with 1 of 3 left: 1 waits for the next" in shown("queue")


def test_both_tables_draw_on_todays_quota(worker: Worker, settings: Settings) -> None:
    settings.RESEND_DAILY_QUOTA = 3
    queue(email())
    queue(email())
    InviteFactory()
    InviteFactory()

    told = "Today's quota is not enough, with 3 of 3 left and 2 more due elsewhere: 1 waits"
    assert told in shown("queue")
    assert told in shown("invites")


def test_what_is_not_due_yet_is_told_apart() -> None:
    tomorrow = timezone.now() + timedelta(days=1)
    queue(email(), due_at=tomorrow)
    queue(email(), due_at=tomorrow)

    assert "Nothing is due. 2 wait for their time." in shown("queue")


def test_a_channel_that_is_down_says_until_when(worker: Worker) -> None:
    queue(email())
    error = ProviderError("api: 503", permanent=False, cause=Cause.UNAVAILABLE)
    channels.named("email")
    for _ in range(20):
        channels.note("email", [error])

    assert "1 message waits. The e-mail channel is closed until" in shown("queue")
    assert "If it answers then: done" in shown("queue")
    assert "E-mail ✕ closed" in shown("channels")


def test_invites_are_counted_by_state_and_go_with_the_next_run() -> None:
    for status in ("pending", "pending", "sent", "failed", "accepted"):
        InviteFactory(status=status, reason="permanent" if status == "failed" else "")

    counts = "2 ○ pending 0 ◐ being sent 1 ✓ sent 1 ★ accepted 1 ✕ failed 0 – cancelled"
    assert counts in shown("invites")
    assert "2 invites are due: the run of" in shown("invites")
    pause_job("retry_invites", by="maya")
    assert "2 invites wait. Maya paused the job retry_invites" in shown("invites")


def test_the_oldest_due_row_is_named(worker: Worker) -> None:
    since = timezone.now() - timedelta(hours=30)
    queue(email(), due_at=since)
    queue(email())

    assert f"The oldest has been due since {timezone.localtime(since):%-d %B %Y}" in shown("queue")


# What was sent, who sends, what runs


def test_an_attempt_shows_in_the_drawing_and_in_its_table() -> None:
    before = shown("attempts")

    attempt(timezone.now()).save()
    attempt(timezone.now(), outcome=MessageAudit.Outcome.REFUSED).save()

    after = shown("attempts")
    assert before.count("Nothing was sent.") == 4
    assert after.count("Nothing was sent.") == 2
    hour = f"{timezone.localtime():%H}:00 {timezone.localtime():%Z}"
    assert f"1 sent, 1 failed try. Most at {hour}: 1 sent, 1 failed try." in after
    assert f"{hour} 1 1 " in after


def test_the_columns_are_drawn_as_high_as_the_rows_say() -> None:
    base, now = HEAD + HEIGHT, timezone.now()
    before = drawn("hours-email")

    for outcome in ("accepted", "accepted", "accepted", "refused"):
        attempt(now, outcome=outcome).save()
    attempt(now - timedelta(hours=1)).save()
    attempt(now, channel="whatsapp").save()

    after = drawn("hours-email")
    (earlier, (top, bottom)), [(failed_top, failed_bottom)] = after["ops-sent"], after["ops-failed"]
    assert before == {}
    assert earlier[1] == bottom == base
    assert failed_bottom == top  # on top of what was sent
    quarter = (base - failed_top) / 4
    assert failed_bottom - failed_top == pytest.approx(quarter, abs=1)
    assert base - earlier[0] == pytest.approx(quarter, abs=1)
    assert base - top == pytest.approx(3 * quarter, abs=1)


def test_a_worker_that_fell_silent_says_since_when(worker: Worker) -> None:
    before = shown("workers")

    Worker.objects.update(seen_at=timezone.now() - timedelta(hours=1))

    assert "host:1 ✓ alive" in before
    assert "host:1 ✕ silent since" in shown("workers")


def test_a_run_that_failed_shows_in_its_day() -> None:
    now = timezone.now()
    before = shown("jobs")

    ran(now, job="retry_invites", status=JobRun.Status.FAILED, error="It broke.")

    assert "Send due invites No run today." in before
    assert "Send due invites 1 run today, 1 failed." in shown("jobs")


# To whom


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel.name)
def test_each_panel_is_shown_by_its_own_permission_alone(panel: Any, worker: Worker) -> None:
    client = login()
    assert refreshed(client).status_code == 403
    app, _, codename = panel.permission.partition(".")
    user: Any = client.get("/admin/").wsgi_request.user
    user.user_permissions.add(
        Permission.objects.get(content_type__app_label=app, codename=codename)
    )

    page = client.get("/admin/").content.decode()

    assert re.findall(r'id="panel-(\w+)-body"', page) == [panel.name]
    for link in set(re.findall(r'href="(/admin/[^"]*)"', html.unescape(page))) - {
        "/admin/password_change/"
    }:
        assert client.get(link).status_code == 200, link


def test_the_navigation_offers_what_a_person_may_open() -> None:
    page = login("Viewers").get("/admin/jobs/scheduledjob/").content.decode()
    stranger = login().get("/admin/").content.decode()

    bar = page.partition('aria-label="Main"')[2].partition("</nav>")[0]
    labels = re.findall(r">([^<]+)</a>", bar)
    assert labels[0] == "Overview"
    assert {
        "Failures",
        "Invites",
        "Queued messages",
        "People",
        "Classes",
        "Invoices",
        "Jobs",
    } <= set(labels)
    assert re.findall(r'aria-current="page">([^<]+)<', bar) == ["Jobs"]
    assert stranger.partition('aria-label="Main"')[2] == ""


# How often, and how fast


def test_it_refreshes_every_five_seconds() -> None:
    assert 'hx-trigger="every 5s"' in login("Viewers").get("/admin/").content.decode()


def test_who_opens_the_panels_alone_gets_the_whole_page() -> None:
    answer: Any = login("Viewers").get("/admin/dashboard/")

    assert (answer.status_code, answer["Location"]) == (302, "/admin/")


def test_what_did_not_change_keeps_its_version(worker: Worker) -> None:
    viewer = login("Viewers")

    def versions() -> dict[str, str]:
        page = refreshed(viewer).content.decode()
        return dict(re.findall(r'id="panel-(\w+)-body"[^>]*data-version="(\w+)"', page))

    before = versions()
    queue(email())

    assert {name for name, version in versions().items() if before[name] != version} == {"queue"}


def test_the_dashboard_asks_as_many_questions_of_many_rows_as_of_few(worker: Worker) -> None:
    manager = login("Managers")
    refreshed(manager)

    def questions() -> int:
        with CaptureQueriesContext(
            connection,
        ) as asked:
            assert refreshed(manager).status_code == 200
        return len(asked)

    few = questions()
    for number in range(20):
        queue(email(), status=Notification.Status.values[number % 5])
        InviteFactory(status=Invite.Status.values[number % 6])
        attempt(timezone.now() - timedelta(hours=number)).save()
        ran(timezone.now() - timedelta(hours=number), job="retry_invites")
        Worker.objects.create(name=f"host:{number + 2}", kind=Worker.Kind.PASS)
        at = {"opened_at": NOON, "last_seen_at": NOON}
        Alert.objects.create(cause=f"job:x{number}", page="/admin/jobs/alert/", **at)

    assert questions() == few <= 40


def test_one_look_asks_nothing_twice(worker: Worker) -> None:
    manager = login("Managers")
    refreshed(manager)

    with CaptureQueriesContext(connection) as asked:
        refreshed(manager)

    sql = [query["sql"] for query in asked]
    assert [statement for statement in set(sql) if sql.count(statement) > 1] == []
