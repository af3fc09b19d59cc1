"""The commands of invites: their words, their exit status, and what they leave alone."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from invites.models import Invite
from jobs.models import JobRun
from tests.invites.factories import InviteFactory, make_invites
from tests.providers.faults import Fault, always
from tests.providers.server import ProviderServer

pytestmark = pytest.mark.django_db(transaction=True)

Status = Invite.Status


@pytest.fixture
def page_for_every_address() -> Iterator[str]:
    """A site that answers 200 with a page to whatever is asked, as a parked domain does."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<h1>This domain is for sale</h1>")

        def log_message(self, *args: object) -> None:
            """Keep the tests' output clean."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def run(*arguments: str) -> tuple[int, str, str]:
    """Run a command as manage.py would; return its exit status and what it printed."""
    out, err = StringIO(), StringIO()
    try:
        call_command(*arguments, stdout=out, stderr=err)
    except CommandError as error:
        return error.returncode, out.getvalue(), str(error)
    except SystemExit as end:
        return int(end.code or 0), out.getvalue(), err.getvalue()
    return 0, out.getvalue(), err.getvalue()


class TestRetryInvites:
    def test_says_how_many_were_sent(self, provider: ProviderServer) -> None:
        make_invites(3)

        status, out, _ = run("retry_invites")

        assert (status, out) == (0, "Invites: 3 sent. None is left to send now.\n")

    def test_a_recorded_failure_is_not_a_failed_run(self, provider: ProviderServer) -> None:
        provider.resend.faults = always(Fault.error(422, "validation_error", "No such mailbox."))
        make_invites(1)

        status, out, _ = run("retry_invites")

        assert status == 0
        assert "1 failed" in out
        assert JobRun.objects.get().status == JobRun.Status.SUCCEEDED

    def test_prints_the_result_that_is_also_the_runs(self, provider: ProviderServer) -> None:
        make_invites(1)

        _, out, _ = run("retry_invites", "--json")

        assert json.loads(out) == JobRun.objects.get().result

    def test_sends_at_most_the_limit(self, provider: ProviderServer) -> None:
        make_invites(5)

        run("retry_invites", "--limit", "2")

        assert len(provider.resend.accepted) == 2
        assert Invite.objects.filter(status=Status.PENDING).count() == 3

    def test_sends_only_the_named(self, provider: ProviderServer) -> None:
        make_invites(2)
        chosen = InviteFactory()

        run("retry_invites", "--invite", str(chosen.pk))

        assert [each.payload["to"] for each in provider.resend.accepted] == [[chosen.enquiry.email]]

    @pytest.mark.parametrize("limit", ["0", "-1", "abc", "1.5"])
    def test_refuses_a_limit_that_is_no_count(self, limit: str) -> None:
        with pytest.raises(CommandError, match="limit"):
            call_command("retry_invites", f"--limit={limit}")

    def test_refuses_an_unknown_invite(self) -> None:
        unknown = str(uuid4())

        status, _, err = run("retry_invites", "--invite", unknown)

        assert (status, err) == (2, f"No such invite: {unknown}.")

    def test_a_missing_key_is_one_sentence_and_touches_no_row(self, settings: Settings) -> None:
        settings.RESEND_API_KEY = ""
        make_invites(2)

        status, _, err = run("retry_invites")

        assert status == 2
        assert err.startswith("E-mail is not configured: set RESEND_API_KEY")
        assert Invite.objects.filter(status=Status.PENDING, attempts=0).count() == 2

    def test_a_dry_run_sends_nothing(self, provider: ProviderServer) -> None:
        make_invites(2)

        _, out, _ = run("retry_invites", "--dry-run")

        assert "2 would be sent" in out
        assert provider.resend.calls == []
        assert JobRun.objects.get().dry_run is True

    def test_switched_off_it_says_so_and_sends_nothing(
        self, provider: ProviderServer, settings: Settings
    ) -> None:
        settings.SENDING = False
        make_invites(2)

        _, out, _ = run("retry_invites")

        assert "2 still due" in out
        assert "SENDING=off" in out
        assert provider.resend.calls == []


class TestSendInviteReally:
    def test_shows_what_would_go_and_sends_nothing(self, provider: ProviderServer) -> None:
        invite = InviteFactory()

        status, out, _ = run("send_invite_really", f"--inviteId={invite.pk}")

        assert status == 0
        assert f"To: {invite.enquiry.email}" in out
        assert "Subject: East Grinstead" in out
        assert invite.token in out
        assert provider.resend.calls == []

    @pytest.mark.parametrize("option", ["--inviteId", "--invite-id"])
    def test_with_yes_sends_that_one(self, provider: ProviderServer, option: str) -> None:
        make_invites(2)
        invite = InviteFactory(status=Status.FAILED, reason="permanent", attempts=3)

        status, out, _ = run("send_invite_really", f"{option}={invite.pk}", "--yes")

        invite.refresh_from_db()
        assert (status, invite.status, invite.generation) == (0, Status.SENT, 2)
        assert len(provider.resend.accepted) == 1
        assert provider.resend.accepted[0].id in out

    def test_sends_a_sent_one_again_only_when_told(self, provider: ProviderServer) -> None:
        invite = InviteFactory(status=Status.SENT, attempts=1)

        first = run("send_invite_really", f"--inviteId={invite.pk}", "--yes")
        second = run("send_invite_really", f"--inviteId={invite.pk}", "--yes", "--again")

        assert first[0] == 2
        assert "--again" in first[2]
        assert second[0] == 0
        assert len(provider.resend.accepted) == 1

    @pytest.mark.parametrize(
        "fields", [{"accepted_at": "2026-01-01T00:00Z"}, {"status": "accepted"}]
    )
    def test_never_sends_an_accepted_one(
        self, provider: ProviderServer, fields: dict[str, Any]
    ) -> None:
        invite = InviteFactory(**fields)

        status, _, err = run("send_invite_really", f"--inviteId={invite.pk}", "--yes", "--again")

        assert (status, provider.resend.calls) == (2, [])
        assert "accepted already" in err

    def test_refuses_under_dry_run(self, provider: ProviderServer, settings: Settings) -> None:
        settings.RESEND_DRY_RUN = True
        invite = InviteFactory()

        status, _, err = run("send_invite_really", f"--inviteId={invite.pk}", "--yes")

        assert status == 2
        assert "RESEND_DRY_RUN" in err

    def test_refuses_an_unknown_id(self) -> None:
        status, _, err = run("send_invite_really", f"--inviteId={uuid4()}")

        assert status == 2
        assert "No such invite" in err

    def test_a_refusal_of_the_provider_is_exit_1(self, provider: ProviderServer) -> None:
        provider.resend.faults = always(Fault.error(422, "validation_error", "No such mailbox."))
        invite = InviteFactory()

        status, _, err = run("send_invite_really", f"--inviteId={invite.pk}", "--yes")

        assert status == 1
        assert "No such mailbox." in err


class TestCheckInviteStats:
    def test_is_silent_about_no_failure(self) -> None:
        make_invites(1)

        status, out, _ = run("check_invite_stats")

        assert status == 0
        assert 'Invite counts: {"pending": 1, "failed": 0' in out

    def test_a_failed_invite_is_exit_1_and_no_failed_run(self) -> None:
        InviteFactory(status=Status.FAILED, reason="permanent")

        status, _, _ = run("check_invite_stats")

        assert status == 1
        assert JobRun.objects.get().status == JobRun.Status.SUCCEEDED

    def test_asks_a_site_over_http(self, live_server: LiveServer) -> None:
        InviteFactory(status=Status.FAILED, reason="permanent")

        status, out, _ = run("check_invite_stats", f"--url={live_server.url}")

        assert status == 1
        assert '"failed": 1' in out

    def test_needs_the_secret(self, live_server: LiveServer, settings: Settings) -> None:
        settings.CRON_SECRET = ""

        assert run("check_invite_stats", f"--url={live_server.url}")[0] == 2

    def test_is_not_fooled_by_an_answer_that_is_not_2xx(self, live_server: LiveServer) -> None:
        assert run("check_invite_stats", f"--url={live_server.url}/elsewhere")[0] == 3

    def test_is_not_fooled_by_a_page(self, page_for_every_address: str) -> None:
        status, _, err = run("check_invite_stats", f"--url={page_for_every_address}")

        assert status == 4
        assert "answered no invite counts: <h1>" in err

    def test_is_not_fooled_by_an_unreachable_site(self) -> None:
        status, _, err = run("check_invite_stats", "--url=http://127.0.0.1:9")

        assert status == 5
        assert "unreachable" in err
        assert JobRun.objects.get().status == JobRun.Status.FAILED


def test_invite_stats_prints_a_line_a_state() -> None:
    make_invites(2)

    status, out, _ = run("invite_stats")

    assert status == 0
    assert out.splitlines()[0].split() == ["pending", "2"]
