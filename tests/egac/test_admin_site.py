"""Who may open what, that looking changes nothing, and the pages of the ground's own tables."""

import html
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.test import Client
from pytest_django.fixtures import Settings

from egac.console.roles import yours
from scripts.benchmarks.console_pages import list_url, lists
from tests.one_of_each import one_of_each
from tests.staff import admin_patterns, admin_urls, login, login_superuser

pytestmark = pytest.mark.django_db


@pytest.fixture
def objects() -> dict[str, Any]:
    """One row of each table that has pages."""
    return one_of_each()


def test_the_pages_of_all_our_apps_are_known() -> None:
    names = {name for name, _ in admin_patterns()}

    expected = {
        "invites_invite_changelist",
        "invites_invite_change",
        "invites_invite_add",
        "invites_invite_email",
        "invites_invite_retry",
        "invites_invite_cancel",
        "invites_invite_send",
        "invites_invite_send_again",
        "invites_enquiry_import",
        "invites_enquiry_process_import",
        "invites_enquiry_export",
        "egac_channel_pause",
        "egac_channel_resume",
        "egac_suppression_lift",
        "egac_loggedaction_changelist",
        "egac_failure_retry",
        "egac_failure_take_back",
        "jobs_jobrun_changelist",
        "bookings_booking_confirm",
        "bookings_booking_cancel",
        "bookings_classsession_cancel",
        "bookings_classsession_register",
        "bookings_classsession_register_csv",
        "bookings_enrolment_attended",
        "bookings_enrolment_take_back",
        "bookings_customer_export",
        "billing_invoice_add",
        "billing_invoice_page",
        "billing_invoice_pdf",
        "billing_invoice_pay",
        "billing_invoice_cancel",
        "billing_invoice_export",
        "billing_payment_export",
        "billing_billingproblem_changelist",
        "billing_missedday_changelist",
        "billing_missedday_change",
        "jobs_alert_changelist",
        "jobs_scheduledjob_changelist",
        "jobs_scheduledjob_change",
        "jobs_scheduledjob_run",
        "jobs_scheduledjob_pause",
        "jobs_scheduledjob_resume",
    }
    assert expected <= names


def test_a_viewer_may_look_at_everything_but_bodies_and_files(objects: dict[str, Any]) -> None:
    viewer = login("Viewers")
    pages = ("changelist", "change", "history", "register")
    urls = {n: u for n, u in admin_urls(objects).items() if n.rpartition("_")[2] in pages}
    of_managers = urls.pop("egac_loggedaction_changelist")

    answers = {name: viewer.get(url).status_code for name, url in urls.items()}

    assert {f"{model}_changelist" for model in objects} <= set(answers)
    assert set(answers.values()) == {200}
    assert viewer.get(of_managers).status_code == 403


@pytest.mark.parametrize(("group", "status"), [("Viewers", 403), ("Operators", 200)])
def test_what_cannot_be_masked_is_refused_to_a_viewer(
    objects: dict[str, Any], group: str, status: int
) -> None:
    urls = admin_urls(objects)
    person = login(group)

    for name in (
        "invites_invite_email",
        "notifications_notification_email",
        "billing_invoice_page",
        "billing_invoice_pdf",
        "bookings_customer_export",
    ):
        assert person.get(urls[name]).status_code == status, name


def test_every_page_is_strict_and_carries_no_inline_script_or_style(
    objects: dict[str, Any],
) -> None:
    manager = login("Managers")
    urls = admin_urls(objects)
    urls = {name: url for name, url in urls.items() if not name.endswith(("_email", "_would_send"))}

    for name, url in urls.items():
        answer = manager.get(url)
        policy = answer["Content-Security-Policy"]
        assert "default-src 'self'" in policy, name
        assert "unsafe" not in policy, name
        page = "" if name.endswith("_pdf") else answer.content.decode()
        assert "<script>" not in page, name
        assert "<style" not in page, name
        assert " style=" not in page, name
        assert "onclick=" not in page, name


def test_the_groups_are_made_once_and_keep_what_staff_added() -> None:
    viewers = Group.objects.get(name="Viewers")
    extra = Group.objects.get(name="Operators").permissions.get(codename="retry_invite")
    viewers.permissions.add(extra)

    call_command("migrate", verbosity=0)

    assert Group.objects.filter(name__in=["Viewers", "Operators", "Managers"]).count() == 3
    assert extra in viewers.permissions.all()


def test_viewers_hold_permissions_to_view_and_to_reveal_only() -> None:
    held = Group.objects.get(name="Viewers").permissions.values_list("codename", flat=True)

    others = [codename for codename in held if not codename.startswith("view_")]
    assert len(held) > 10
    assert others == ["reveal_addresses"]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"SENDING": False}, "Sending is switched off"),
        ({"RESEND_DRY_RUN": True}, "Dry run"),
        ({"RESEND_API_URL": "http://127.0.0.1:9"}, "Nothing leaves this machine"),
        (
            {"RESEND_API_URL": "https://api.resend.com", "DIVERT_EMAIL_TO": "me@club.example"},
            "Every e-mail goes to me@club.example",
        ),
    ],
)
def test_every_page_says_where_messages_go(
    changes: dict[str, Any], sentence: str, settings: Settings
) -> None:
    for name, value in changes.items():
        setattr(settings, name, value)

    page = login("Operators").get("/admin/").content.decode()

    assert sentence in page


def test_the_banner_links_to_the_inbox_of_the_stand_in(settings: Settings) -> None:
    settings.STANDIN_INBOX_URL = "http://127.0.0.1:8025/inbox"

    page = login("Viewers").get("/admin/").content.decode()

    assert 'href="http://127.0.0.1:8025/inbox"' in page


def test_a_stranger_at_the_login_does_not_read_the_banner(settings: Settings) -> None:
    settings.DIVERT_EMAIL_TO = "me@club.example"
    settings.RESEND_API_URL = "https://api.resend.com"

    page = Client().get("/admin/login/").content.decode()

    assert "me@club.example" not in page


def test_the_list_of_runs_says_the_result_in_words(objects: dict[str, Any]) -> None:
    page = login("Viewers").get("/admin/jobs/jobrun/").content.decode()

    assert "12 processed, 0 left." in page


@pytest.mark.parametrize("of", lists(), ids=lambda of: of.opts.label)
def test_an_empty_list_says_what_would_be_here(of: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    nothing = of.model._default_manager.none()
    monkeypatch.setattr(type(of), "get_queryset", lambda *_: nothing)

    page = html.unescape(login_superuser().get(list_url(of)).content.decode())

    said = page.partition('"ops-empty">')[2].partition("</p>")[0]
    assert said == vars(type(of))["empty_sentence"]  # its own
    assert "here" in said


def test_who_has_no_role_is_told_who_gives_one_and_where() -> None:
    kim = get_user_model().objects.create_user("kim", is_staff=True)

    page = html.unescape(login().get("/admin/").content.decode())
    form = login_superuser().get(f"/admin/auth/user/{kim.pk}/change/").content.decode()

    assert "Ask a superuser of the club for a role: they give it under Users." in page
    assert yours(kim).endswith("A superuser gives you one under Users.")
    assert 'name="groups"' in form
