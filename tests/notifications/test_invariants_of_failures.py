"""The invariants of the design, by number, of messages of the queue whose calls fail."""

from datetime import timedelta

import pytest
from django.db.models import F
from pytest_django.fixtures import Settings

from egac.channels import Channel
from egac.delivery import MessageAudit
from egac.retry import BACK_OFF
from notifications.models import EmailBatch, Notification
from tests.egac.threads import side_by_side
from tests.notifications.factories import queue
from tests.notifications.loads import (
    ATTACHMENT,
    BATCHED,
    EVERY_KIND,
    SINGLE,
    WHATSAPP,
    Kind,
    assert_nothing_is_lost_or_doubled,
    called,
    close_the_breakers,
    let_time_pass,
    recover,
    strike,
)
from tests.providers.faults import Fault, always, by_turns, fail_next
from tests.providers.server import ProviderServer
from tests.providers.whatsapp import whatsapp_error

pytestmark = pytest.mark.django_db(transaction=True)

Status = Notification.Status
each_kind = pytest.mark.parametrize("kind", EVERY_KIND, ids=lambda kind: kind.name)
REFUSED = {
    "batched": Fault.error(422, "validation_error", "No."),
    "single": Fault.error(422, "validation_error", "No."),
    "whatsapp": whatsapp_error(131026, "Message undeliverable."),
}

LIMITED = {
    "batched": [Fault.rate_limited(retry_after=60), Fault.daily_quota(), Fault.monthly_quota()],
    "single": [Fault.rate_limited(retry_after=60), Fault.daily_quota(), Fault.monthly_quota()],
    "whatsapp": [whatsapp_error(130429, "Slow down."), whatsapp_error(80007, "Slow down.")],
}


@each_kind
@pytest.mark.parametrize("retry_after", [None, 400])
def test_invariant_10_a_retry_waits_long_enough_and_little_longer(
    provider: ProviderServer, kind: Kind, retry_after: int | None
) -> None:
    kind.queue(1)
    headers = {} if retry_after is None else {"retry_after": str(retry_after)}
    strike(provider, always(Fault.error(503, "service_unavailable", "No.", **headers)))
    # A batch waits as a whole, and its rows with it.
    waiting = EmailBatch.objects if kind is BATCHED else Notification.objects

    for tries in (1, 2, 3, 4):
        recover()
        wait = waiting.annotate(wait=F("due_at") - F("updated_at")).get().wait
        least = max(BACK_OFF[tries - 1], timedelta(seconds=retry_after or 0))
        assert least <= wait <= 1.2 * least
        assert Notification.objects.get().attempts == tries
        close_the_breakers()
        let_time_pass()


@each_kind
def test_invariant_11_a_rate_limit_costs_no_attempt(provider: ProviderServer, kind: Kind) -> None:
    for fault in LIMITED[kind.name]:
        kind.queue(2)
        strike(provider, always(fault))

        for _ in range(3):
            recover()
            let_time_pass()

    assert called(provider)
    assert not kind.rows.exclude(status=Status.PENDING, attempts=0).exists()


@each_kind
def test_invariant_11_an_open_breaker_costs_no_attempt(
    provider: ProviderServer, kind: Kind
) -> None:
    kind.queue(2)
    for name in ("email", "whatsapp"):
        broken = {"failures": 5, "probing": True, "held_because": "unavailable"}
        Channel.objects.update_or_create(name=name, defaults=broken)
    strike(provider, always(Fault.unavailable()))

    for _ in range(4):
        recover()
        let_time_pass()

    assert called(provider)
    assert kind.rows.filter(status=Status.PENDING, attempts=0).count() == 2


@each_kind
def test_invariant_12_a_permanent_error_makes_exactly_one_call(
    provider: ProviderServer, kind: Kind
) -> None:
    kind.queue(3)
    if kind is BATCHED:
        provider.resend.refuses = lambda _address: "No such mailbox."
    else:
        strike(provider, always(REFUSED[kind.name]))

    for _ in range(3):
        recover()
        let_time_pass()

    assert len(called(provider)) == 3
    assert kind.rows.filter(status=Status.FAILED, reason="permanent", attempts=1).count() == 3


def test_invariant_13_all_lanes_of_all_workers_together_keep_to_the_rate(
    provider: ProviderServer, settings: Settings
) -> None:
    settings.RESEND_RATE_LIMIT = settings.WHATSAPP_RATE_LIMIT = 5
    BATCHED.queue(300)
    SINGLE.queue(8)
    WHATSAPP.queue(12)

    side_by_side(3, lambda _: recover())

    assert_nothing_is_lost_or_doubled(provider)
    for site in (provider.resend, provider.whatsapp):
        assert site.max_calls_in_any_second() <= 6


def test_invariant_20_no_secret_and_no_words_of_a_message_in_a_log_an_error_or_the_audit(
    provider: ProviderServer, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.RESEND_API_KEY, settings.WHATSAPP_TOKEN = "re_very_secret", "EAA_very_secret"
    settings.PROVIDER_TIMEOUT_SECONDS = 0.2
    queue({**BATCHED.payload(1), "html": "words-of-the-body"})
    queue({**SINGLE.payload(1), "html": "words-of-the-body", "attachments": [ATTACHMENT]})
    for number in range(4):
        queue({**WHATSAPP.payload(number), "variables": ["words-of-the-body"]})
    provider.resend.faults = by_turns(
        Fault.error(422, "validation_error", "The key re_very_secret may not."), Fault.html_502()
    )
    provider.whatsapp.faults = fail_next(
        whatsapp_error(131009, "The token EAA_very_secret may not."),
        Fault.hang(1),
        Fault.reset_after_accepting(),
        Fault.redirect(),
    )

    with caplog.at_level("DEBUG"):
        recover()

    told = caplog.text + "".join(map(str, MessageAudit.objects.values()))
    told += "".join(map(str, Notification.objects.values_list("last_error", flat=True)))
    assert "[redacted] may not" in told
    for secret in ("very_secret", "words-of-the-body"):
        assert secret not in told
