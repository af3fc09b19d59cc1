"""The buttons of invites: what they do to rows and to the provider, and what they tell."""

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.db.models.functions import Now
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.html import escape
from pytest_django.fixtures import Settings

from egac.delivery import Suppression
from invites import services
from invites.models import Invite
from jobs.models import JobRun
from tests.invites.factories import InviteFactory, make_invites
from tests.invites.staff_pages import LIST, ask, confirm, failed, message_of, page_of
from tests.providers.faults import Fault
from tests.providers.server import ProviderServer
from tests.staff import login

pytestmark = pytest.mark.django_db(transaction=True)

Status = Invite.Status


@pytest.fixture
def operator() -> Client:
    return login("Operators")


def test_retry_now_sends_at_once_and_tells_two_numbers(
    operator: Client, provider: ProviderServer
) -> None:
    three, sent = [failed() for _ in range(3)], InviteFactory(status=Status.SENT)
    posted = ask(operator, "retry", *three)
    everything = f"{posted['seen']} {sent.pk}@{sent.updated_at.isoformat()}"

    told = confirm(operator, "retry", {"seen": everything})

    assert told == "3 sent. Skipped: 1 sent already."
    assert len(provider.resend.accepted) == 3
    assert Invite.objects.filter(status=Status.SENT, generation=2, attempts=1).count() == 3


def test_retry_now_tells_why_the_first_failed_and_how_many_wait(
    operator: Client, provider: ProviderServer
) -> None:
    invites = [failed(), failed()]
    provider.resend.faults = lambda number, payload: (
        Fault.error(422, "validation_error", "No such mailbox.")
        if number == 1
        else Fault.unavailable()
    )

    told = confirm(operator, "retry", ask(operator, "retry", *invites))

    assert told == (
        "0 sent. 1 failed. Resend refused the address or the content (No such mailbox): correct "
        "the enquiry, then retry. 1 waits. Resend was out of service: it is tried again by itself."
    )


def test_retry_now_leaves_a_run_that_names_who(operator: Client, provider: ProviderServer) -> None:
    confirm(operator, "retry", ask(operator, "retry", failed()))

    run = JobRun.objects.get()
    assert (run.trigger, run.actor[:9], run.status) == ("admin", "operators", "succeeded")


def test_retry_now_of_many_leaves_them_to_the_next_run(
    operator: Client, provider: ProviderServer
) -> None:
    invites = make_invites(26, status=Status.FAILED, reason="exhausted")
    Invite.objects.update(updated_at=Now())

    told = confirm(operator, "retry", ask(operator, "retry", *invites), number="26")

    assert told == "26 are due now: the next run sends them."
    assert provider.resend.calls == []
    assert Invite.objects.due().count() == 26


def test_retry_now_under_dry_run_says_that_nothing_was_sent(
    operator: Client, provider: ProviderServer, settings: Settings
) -> None:
    settings.RESEND_DRY_RUN = True

    told = confirm(operator, "retry", ask(operator, "retry", failed()))

    assert told == "0 sent. 1 waits. Dry run: nothing was sent."
    assert provider.resend.calls == []


def test_retry_now_without_a_key_says_what_to_write(operator: Client, settings: Settings) -> None:
    settings.RESEND_API_KEY = ""

    told = confirm(operator, "retry", ask(operator, "retry", failed()))

    assert told.startswith("1 are due now and wait. E-mail is not configured")


def test_18_a_stale_page_changes_nothing_that_is_processing_or_sent(
    operator: Client, provider: ProviderServer
) -> None:
    processing, sent, accepted = failed(), failed(), failed()
    posted = ask(operator, "retry", processing, sent, accepted)
    Invite.objects.filter(pk=processing.pk).update(status=Status.PROCESSING)
    Invite.objects.filter(pk=sent.pk).update(status=Status.SENT)
    Invite.objects.filter(pk=accepted.pk).update(accepted_at=Now(), status=Status.ACCEPTED)

    told = confirm(operator, "retry", posted)

    assert told.startswith("Nothing was sent. Skipped: ")
    for why in ("1 being sent right now", "1 sent already", "1 accepted already"):
        assert why in told
    assert provider.resend.calls == []


@pytest.mark.parametrize("action", ["retry", "send", "send-again"])
def test_18_a_second_press_of_the_same_button_sends_nothing_more(
    operator: Client, provider: ProviderServer, action: str
) -> None:
    invite = InviteFactory(status=Status.SENT) if action == "send-again" else failed()
    posted = ask(operator, action, invite)
    confirm(operator, action, posted, reason="lost")

    told = confirm(operator, action, posted, reason="lost")

    assert "Nothing was sent." in told
    assert "Skipped: 1" in told
    assert len(provider.resend.accepted) == 1


def test_18_what_a_colleague_cancelled_meanwhile_is_not_retried(
    operator: Client, provider: ProviderServer
) -> None:
    invite = failed()
    stale = ask(operator, "retry", invite)
    confirm(login("Operators"), "cancel", ask(operator, "cancel", invite))

    told = confirm(operator, "retry", stale)

    assert told == "Nothing was sent. Skipped: 1 changed by somebody else meanwhile."
    invite.refresh_from_db()
    assert invite.status == Status.CANCELLED


def test_cancel_takes_back_what_waits(operator: Client) -> None:
    waiting = InviteFactory()

    told = confirm(operator, "cancel", ask(operator, "cancel", waiting))

    waiting.refresh_from_db()
    assert told == "1 cancelled."
    assert (waiting.status, waiting.reason) == (Status.CANCELLED, "by_staff")


def test_send_again_asks_for_a_reason_and_keeps_it(
    operator: Client, provider: ProviderServer
) -> None:
    sent = InviteFactory(status=Status.SENT, sent_at=timezone.now())
    posted = ask(operator, "send-again", sent)

    without = operator.post(f"{LIST}send-again/", {**posted, "reason": " "})
    calls_without = len(provider.resend.calls)
    told = confirm(operator, "send-again", posted, reason="she lost the mail")

    assert "Write a reason." in page_of(without)
    assert calls_without == 0
    assert told == "1 sent."
    entry = LogEntry.objects.get()
    assert entry.get_change_message() == "Send again: 1 of 1. Reason: she lost the mail"


def test_send_one_for_real_sends_that_one(operator: Client, provider: ProviderServer) -> None:
    one, other = InviteFactory(enquiry__email="one@club.example"), InviteFactory()

    told = confirm(operator, "send", ask(operator, "send", one))

    assert told == "1 sent, to one@club.example."
    assert [call.payload["to"] for call in provider.resend.accepted] == [["one@club.example"]]
    other.refresh_from_db()
    assert other.status == Status.PENDING


def test_send_one_for_real_takes_exactly_one(operator: Client, provider: ProviderServer) -> None:
    keys = [str(invite.pk) for invite in make_invites(2)]

    answer = operator.post(f"{LIST}send/", {"_selected_action": keys}, follow=True)

    assert "takes exactly one; you chose 2" in message_of(answer)
    assert provider.resend.calls == []


def test_the_page_that_asks_names_whom_what_and_who_is_skipped(operator: Client) -> None:
    good, bad = failed(enquiry__name="Amelia"), failed(enquiry__email="")
    hushed = failed(enquiry__email="hushed@club.example")
    Suppression.objects.create(address="hushed@club.example", reason="complained")
    sent = InviteFactory(status=Status.SENT)
    keys = [str(invite.pk) for invite in (good, bad, hushed, sent)]

    page = page_of(operator.post(f"{LIST}retry/", {"_selected_action": keys}))

    assert "Retry now: 3 invites." in page
    assert "Will be skipped: 1 sent already." in page
    assert "Amelia &lt;" in page
    assert escape(services.what_would_go(good)["subject"]) in page
    assert "It will fail: It has no e-mail address." in page
    assert "It will not be sent: hushed@club.example is not written to: complained." in page


def test_the_page_that_asks_shows_25_and_counts_the_rest(operator: Client) -> None:
    keys = [str(invite.pk) for invite in make_invites(30, status=Status.FAILED)]

    answer = operator.post(f"{LIST}retry/", {"_selected_action": keys})

    assert len(answer.context["lines"]) == 25
    assert "… and 5 more." in page_of(answer)


def test_the_list_asks_before_it_acts(operator: Client, provider: ProviderServer) -> None:
    invite = failed()
    ticked = {"action": "retry", "_selected_action": [str(invite.pk)]}

    page = page_of(operator.post(f"{LIST}?status__exact=failed", ticked))

    assert "Retry now: 1 invite." in page
    assert 'name="back" value="status__exact=failed"' in page
    assert provider.resend.calls == []


def test_more_than_a_thousand_at_once_are_refused(operator: Client) -> None:
    make_invites(1001, status=Status.FAILED)
    everything = {"action": "cancel", "select_across": "1", "_selected_action": ["x"]}

    answer = operator.post(LIST, everything, follow=True)

    assert "At most 1,000 can be changed at once" in message_of(answer)
    assert not Invite.objects.filter(status=Status.CANCELLED).exists()


def test_a_key_that_no_database_can_hold_is_refused(operator: Client) -> None:
    answer = operator.post(f"{LIST}retry/", {"_selected_action": "\x00"})

    assert answer.status_code == 400


@pytest.mark.parametrize("key", ["nonsense", "", "../../x"])
def test_a_made_up_key_is_nobodys_row(operator: Client, key: str) -> None:
    answer = operator.post(f"{LIST}retry/", {"_selected_action": key})

    assert answer.context["count"] == 0


@pytest.mark.parametrize("seen", ["nonsense", "a@b", "@", f"{'0' * 32}@yesterday", "@@@ @"])
def test_a_made_up_confirmation_changes_nothing(operator: Client, seen: str) -> None:
    answer = operator.post(f"{LIST}retry/", {"seen": seen}, follow=True)

    assert answer.status_code == 200
    assert message_of(answer).startswith("Nothing was")


def test_every_button_stands_in_the_history_of_the_row(
    operator: Client, provider: ProviderServer
) -> None:
    invite = failed()
    confirm(operator, "cancel", ask(operator, "cancel", invite))
    invite.refresh_from_db()
    confirm(operator, "retry", ask(operator, "retry", invite))

    page = page_of(operator.get(f"{LIST}{invite.pk}/change/"))

    assert "Cancel: 1 of 1." in page
    assert "Retry now: 1 of 1." in page
    assert "operators" in page


def test_the_page_that_asks_takes_a_fixed_number_of_queries(operator: Client) -> None:
    few, many = ([str(each.pk) for each in make_invites(count)] for count in (2, 20))
    operator.post(f"{LIST}retry/", {"_selected_action": few})
    with CaptureQueriesContext(connection) as queries_of_few:
        operator.post(f"{LIST}retry/", {"_selected_action": few})

    with CaptureQueriesContext(connection) as queries_of_many:
        operator.post(f"{LIST}retry/", {"_selected_action": many})

    assert len(queries_of_many) == len(queries_of_few)


def test_the_address_of_a_button_opened_by_hand_changes_nothing_and_says_so(
    operator: Client, provider: ProviderServer
) -> None:
    invite = failed()
    seen = f"{invite.pk}@{invite.updated_at.isoformat()}"

    answer = operator.get(f"{LIST}retry/", {"seen": seen}, follow=True)

    assert message_of(answer).startswith("Nothing was changed: choose what to act on")
    assert provider.resend.calls == []
