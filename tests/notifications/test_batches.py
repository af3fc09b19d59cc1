"""E-mails in batches: one key for a hundred, stored before the call, settled row by row."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now
from pytest_django.fixtures import Settings

from egac.delivery import MessageAudit, Suppression
from egac.models import Channel
from notifications.models import EmailBatch, Notification
from notifications.passes import run_pass
from tests.notifications.factories import email, queue, queue_emails
from tests.notifications.loads import close_the_breakers, let_time_pass
from tests.providers.faults import Fault, always, fail_next
from tests.providers.server import ProviderServer

pytestmark = pytest.mark.django_db(transaction=True)

Status = Notification.Status


def send(limit: int = 1000) -> list[dict[str, object]]:
    return run_pass(limit=limit, seconds=20, channels=["email"])["results"]


def batch_calls(provider: ProviderServer) -> list[str]:
    return [call.path for call in provider.resend.calls]


def test_sends_a_hundred_in_one_call(provider: ProviderServer) -> None:
    queue_emails(250)

    results = send()

    assert [line["ok"] for line in results] == [True] * 250
    assert batch_calls(provider) == ["/emails/batch"] * 3
    assert Notification.objects.filter(status=Status.COMPLETED, attempts=1).count() == 250


def test_audits_every_row_of_a_batch(provider: ProviderServer) -> None:
    row, _ = queue_emails(2)

    send()

    line = MessageAudit.objects.get(source="notifications_queue", source_id=row.pk)
    assert (line.attempt, line.counted, line.outcome) == (1, True, "accepted")
    assert line.recipient == "person0@families.example"
    assert not MessageAudit.objects.filter(source="email_batches").exists()


def test_gives_every_row_its_own_id(provider: ProviderServer) -> None:
    queue_emails(3)

    send()

    ids = {each.payload["to"][0]: each.id for each in provider.resend.accepted}
    for row in Notification.objects.all():
        assert row.provider_message_id == ids[row.recipient]


def test_a_refused_one_fails_and_the_others_go(provider: ProviderServer) -> None:
    provider.resend.refuses = lambda to: "No such mailbox." if to.startswith("person1@") else None
    queue_emails(3)

    send()

    refused = Notification.objects.get(status=Status.FAILED)
    assert (refused.recipient, refused.reason) == ("person1@families.example", "permanent")
    assert "No such mailbox." in refused.last_error
    assert Notification.objects.filter(status=Status.COMPLETED).count() == 2


def test_a_row_that_cannot_be_sent_never_joins_a_batch(provider: ProviderServer) -> None:
    queue({"channel": "email", "subject": "no recipient at all"})
    queue({})
    queue_emails(2)

    send()

    assert Notification.objects.filter(status=Status.FAILED, reason="invalid").count() == 2
    assert Notification.objects.filter(status=Status.COMPLETED).count() == 2


def test_a_suppressed_address_never_joins_a_batch(provider: ProviderServer) -> None:
    Suppression.objects.create(address="person1@families.example", reason="a hard bounce")
    queue_emails(3)

    send(limit=2)

    suppressed = Notification.objects.get(status=Status.CANCELLED)
    assert (suppressed.recipient, suppressed.reason) == ("person1@families.example", "suppressed")
    assert Notification.objects.filter(status=Status.COMPLETED).count() == 2
    assert len(provider.resend.accepted) == 2


def test_no_batch_is_left_of_suppressed_addresses_alone(provider: ProviderServer) -> None:
    Suppression.objects.create(address="person0@families.example", reason="a hard bounce")
    queue_emails(1)

    send()

    assert not EmailBatch.objects.exists()
    assert provider.resend.calls == []


def test_an_unknown_outcome_freezes_the_rows_and_is_repeated_as_it_was(
    provider: ProviderServer, settings: Settings
) -> None:
    settings.PROVIDER_TIMEOUT_SECONDS = 0.3
    provider.resend.faults = fail_next(Fault.hang_after_accepting(5))
    queue_emails(2)

    send()
    frozen = Notification.objects.filter(status=Status.PROCESSING, attempts=1).count()
    let_time_pass()
    send()

    first, second = provider.resend.calls
    assert frozen == 2
    assert first.body == second.body
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]
    assert len(provider.resend.accepted) == 2
    assert Notification.objects.filter(status=Status.COMPLETED, attempts=1).count() == 2


def test_a_rate_limit_dissolves_the_batch_and_costs_no_attempt(provider: ProviderServer) -> None:
    provider.resend.faults = fail_next(Fault.rate_limited(retry_after=30))
    queue_emails(2)

    send()

    assert EmailBatch.objects.get().status == EmailBatch.Status.CANCELLED
    assert Notification.objects.filter(status=Status.PENDING, attempts=0).count() == 2


def test_a_batch_refused_as_a_whole_dissolves_into_single_mails(provider: ProviderServer) -> None:
    provider.resend.faults = fail_next(Fault.error(422, "validation_error", "Not like this."))
    queue_emails(2)

    send()
    let_time_pass()
    send()

    assert batch_calls(provider) == ["/emails/batch", "/emails", "/emails"]
    assert Notification.objects.filter(status=Status.COMPLETED, attempts=2).count() == 2


def test_gives_up_after_the_last_attempt(provider: ProviderServer) -> None:
    provider.resend.faults = always(Fault.server_error())
    (row,) = queue_emails(1)

    for _ in range(7):
        send()
        let_time_pass()
        close_the_breakers()

    row.refresh_from_db()
    assert (row.status, row.reason, row.attempts) == (Status.FAILED, "exhausted", 5)
    assert len(provider.resend.calls) == 5


def test_an_attachment_goes_alone(provider: ProviderServer) -> None:
    attachment = {"filename": "a.txt", "content": "YQ=="}
    queue(email(attachments=[attachment]))
    queue_emails(1)

    send()

    assert sorted(batch_calls(provider)) == ["/emails", "/emails/batch"]


def test_sends_what_is_urgent_first(provider: ProviderServer) -> None:
    queue_emails(150)
    queue(email("urgent@families.example"), priority=10)

    send(limit=100)

    assert provider.resend.accepted[0].payload["to"] == ["urgent@families.example"]


def test_takes_no_more_than_the_limit(provider: ProviderServer) -> None:
    queue_emails(30)

    send(limit=20)

    assert len(provider.resend.accepted) == 20
    assert Notification.objects.filter(status=Status.PENDING).count() == 10


@pytest.mark.parametrize(
    ("change", "ended"),
    [
        ("expired", ("cancelled", "expired")),
        ("suppressed", ("cancelled", "suppressed")),
        ("relevance", ("failed", "invalid")),  # its check is gone with an older program
    ],
)
def test_what_lost_its_point_in_a_refused_batch_does_not_go_with_it(
    provider: ProviderServer, change: str, ended: tuple[str, str]
) -> None:
    provider.resend.faults = fail_next(Fault.server_error())
    fallen, _ = queue_emails(2)
    send()
    let_time_pass()
    rows = Notification.objects.filter(pk=fallen.pk)
    if change == "expired":
        rows.update(expires_at=Now() - timedelta(seconds=1))
    elif change == "relevance":
        rows.update(relevance="a check that nobody registered")
    else:
        Suppression.objects.create(address=fallen.recipient.upper(), reason="a hard bounce")

    results = send()

    fallen.refresh_from_db()
    assert (fallen.status, fallen.reason) == ended
    [accepted] = provider.resend.accepted
    assert accepted.payload["to"] == ["person1@families.example"]
    assert sorted(line["ok"] for line in results) == [False, True]
    assert Notification.objects.get(status=Status.COMPLETED).last_error is None


def test_a_batch_in_doubt_is_repeated_as_it_was_whatever_became_of_its_messages(
    provider: ProviderServer, settings: Settings
) -> None:
    settings.PROVIDER_TIMEOUT_SECONDS = 0.3
    provider.resend.faults = fail_next(Fault.hang_after_accepting(5))
    queue_emails(2)
    send()
    let_time_pass()
    Notification.objects.update(expires_at=Now() - timedelta(seconds=1))
    Suppression.objects.create(address="person0@families.example", reason="a hard bounce")

    send()

    first, second = provider.resend.calls
    assert first.body == second.body
    assert Notification.objects.filter(status=Status.COMPLETED).count() == 2


@pytest.mark.parametrize("limit", [1000, 400])
def test_a_channel_that_closes_keeps_no_message_in_a_batch(
    provider: ProviderServer, settings: Settings, limit: int
) -> None:
    settings.RESEND_RATE_LIMIT = 2
    provider.resend.faults = fail_next(Fault.daily_quota())
    queue_emails(400)

    send(limit)

    assert len(provider.resend.calls) == 1
    assert Notification.objects.filter(status=Status.PENDING, attempts=0).count() == 400


def test_a_batch_whose_key_was_taken_is_not_sent_under_others(
    provider: ProviderServer, settings: Settings
) -> None:
    settings.PROVIDER_TIMEOUT_SECONDS = 0.3
    taken = Fault.error(409, "invalid_idempotent_request", "Same key, different payload.")
    provider.resend.faults = fail_next(Fault.hang_after_accepting(5), taken)
    queue_emails(2)

    for _ in range(3):
        send()
        let_time_pass()

    assert len(provider.resend.accepted) == 2
    assert Notification.objects.filter(status=Status.FAILED, reason="uncertain").count() == 2


def test_a_closed_channel_freezes_nothing(provider: ProviderServer) -> None:
    Channel.objects.create(name="email", paused_at=Now(), paused_by="amelia")
    queue_emails(2)

    send()

    assert Notification.objects.filter(status=Status.PENDING).count() == 2
    assert provider.resend.calls == []
