"""What the pages say of open rows, held against what a run of the senders then does with them."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any
from unittest import mock
from uuid import uuid4

import pytest
from django.contrib import admin
from django.db.models.functions import Now
from django.test import override_settings
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from egac.canary import CanaryRetry
from egac.channels import BECAUSE, Channel
from egac.claim import Claim
from egac.delivery import Suppression
from egac.providers import NotConfigured
from egac.why_waiting import Kind
from invites.models import Enquiry, Invite
from invites.services import retry_invites
from notifications.models import EmailBatch, Notification, Worker
from notifications.passes import run_pass
from tests.invites.factories import EnquiryFactory
from tests.notifications.factories import email, whatsapp
from tests.providers.server import ProviderServer

pytestmark = pytest.mark.django_db(transaction=True)

HOUR = timedelta(hours=1)
SUPPRESSED = "bounced@families.example"

switches = st.fixed_dictionaries(
    {},
    optional={
        "SENDING": st.sampled_from([True, True, True, False]),
        "RESEND_DRY_RUN": st.sampled_from([False, False, False, True]),
        "WHATSAPP_DRY_RUN": st.sampled_from([False, False, False, True]),
        "DIVERT_EMAIL_TO": st.sampled_from(["", "", "", "inbox@club.example"]),
        "RESEND_API_KEY": st.sampled_from(["re_for_tests", "re_for_tests", ""]),
        "WHATSAPP_TOKEN": st.sampled_from(["for_tests", "for_tests", ""]),
    },
)
from_now = st.sampled_from([None, -HOUR, HOUR])
channel_states = st.none() | st.fixed_dictionaries(
    {
        "paused_at": st.sampled_from([None, None, None, -HOUR]),
        "held_until": from_now,
        "held_because": st.sampled_from([str(cause) for cause in BECAUSE]),
        "probing": st.booleans(),
    }
)
row_states = st.fixed_dictionaries(
    {
        "attempts": st.integers(0, 6),
        "due_at": from_now,
        "in_doubt_since": st.sampled_from([None, None, None, -HOUR, -30 * HOUR]),
        "orphaned": st.booleans(),
        "updated_at": st.sampled_from([timedelta(), -HOUR]),
    }
)
tests = st.sampled_from([None, None, "waits", "is gone"])  # the canary under which a failed row is
leases = st.sampled_from([None, -HOUR, HOUR])
endings = st.sampled_from([None, "exhausted", "by_staff"])
batches = st.sampled_from(["none", "none", "called", "in doubt", "over"])


def at(moved: timedelta | None) -> Any:
    return None if moved is None else timezone.now() + moved


def in_time(fields: dict[str, Any]) -> dict[str, Any]:
    return {
        name: at(value) if isinstance(value, timedelta) else value for name, value in fields.items()
    }


@st.composite
def rows(draw: st.DrawFn, model: Any) -> dict[str, Any]:
    """Draw the state of a row, in any status."""
    status = draw(st.sampled_from([*model.Status.values, "pending", "pending", "pending"]))
    fields = {"status": status, **draw(row_states)}
    if status in ("failed", "cancelled"):
        fields["reason"] = draw(endings)
    if status == "failed" and (test := draw(tests)):
        fields["canary"] = test
    if status == "processing":
        fields["lease_ends_at"] = draw(leases)
        fields["call_started_at"] = draw(st.sampled_from([None, -timedelta(minutes=1)]))
    return fields


invites = st.tuples(rows(Invite), st.booleans())
messages = st.tuples(rows(Notification), st.booleans(), st.booleans(), batches, from_now)


def clear() -> None:
    for model in (
        CanaryRetry,
        Invite,
        Notification,
        EmailBatch,
        Enquiry,
        Channel,
        Suppression,
        Worker,
    ):
        model.objects.all().delete()


def make_invite(fields: dict[str, Any], is_suppressed: bool) -> None:
    person = EnquiryFactory(**({"email": SUPPRESSED} if is_suppressed else {}))
    invite = Invite.objects.create(enquiry=person)
    Invite.objects.filter(pk=invite.pk).update(**in_time(under_a_canary(Invite, fields)))


def make_message(
    fields: dict[str, Any],
    by_whatsapp: bool,
    is_suppressed: bool,
    batch: str,
    expires_at: timedelta | None,
) -> None:
    to = {"to": SUPPRESSED} if is_suppressed and not by_whatsapp else {}
    payload = (whatsapp if by_whatsapp else email)(**to)
    row = Notification.objects.create(type="x", payload=payload, expires_at=at(expires_at))
    if fields["status"] == "processing" and not by_whatsapp and batch != "none":
        fields = {**fields, "lease_ends_at": None, "batch": make_batch(batch, row)}
    fields = under_a_canary(Notification, fields)
    Notification.objects.filter(pk=row.pk).update(**in_time(fields))


def make_batch(state: str, row: Notification) -> EmailBatch:
    states = {
        "called": {"status": "processing", "lease_ends_at": HOUR, "call_started_at": -HOUR},
        "in doubt": {"status": "pending", "due_at": HOUR, "in_doubt_since": -HOUR},
        "over": {"status": "failed"},
    }
    return EmailBatch.objects.create(row_ids=[row.pk], **in_time(states[state]))


def under_a_canary(model: Any, fields: dict[str, Any]) -> dict[str, Any]:
    """Return the fields with the mark of a retry whose canary waits, or is gone."""
    if "canary" not in fields:
        return fields
    key = "00000000-0000-0000-0000-000000000000" if model is Invite else "0"
    if fields["canary"] == "waits":
        beside = {} if model is Invite else {"type": "x", "payload": email()}
        key = str(model.objects.create(due_at=at(HOUR), **beside).pk)
    retry = CanaryRetry.objects.create(
        source=model._meta.db_table,
        cause=uuid4().hex,
        meaning="It broke.",
        canary_key=key,
        canary_generation=1,
        held=1,
        started_by="ana",
        why="mended",
    )
    return {**fields, "canary": retry.pk}


def open_channels(states: dict[str, Any]) -> None:
    for name, state in states.items():
        if state is not None:
            Channel.objects.create(name=name, paused_by="ana", **in_time(state))


@contextmanager
def everything_with(switched: dict[str, Any]) -> Iterator[None]:
    """Say what the pages say, and let the senders run once, under these settings."""
    with override_settings(**switched):
        yield


def told() -> dict[tuple[Any, Any], Any]:
    """Return of each row what its page says, by table and key."""
    said = {}
    for model in (Invite, Notification):
        pages = admin.site._registry[model]
        for row in pages.explained(list(pages.get_queryset(None)), timezone.now()):
            said[model, row.pk] = row
    return said


def run_the_senders() -> Counter[tuple[Any, Any]]:
    """Return how often each row was claimed meanwhile, by table and key."""
    rows_of, claims = Claim.rows_of, Counter[tuple[Any, Any]]()

    def rows_and_note(claim: Claim, taken: Any) -> list[Any]:
        rows = rows_of(claim, taken)
        claims.update((claim.model, row.pk) for row in rows)
        return rows

    with mock.patch.object(Claim, "rows_of", rows_and_note):
        for run in (retry_invites, lambda: run_pass(limit=100, seconds=20)):
            with suppress(NotConfigured):
                run()
    return claims


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    switched=switches,
    channels=st.fixed_dictionaries({"email": channel_states, "whatsapp": channel_states}),
    some_invites=st.lists(invites, max_size=5),
    some_messages=st.lists(messages, max_size=8),
    is_a_worker_about=st.booleans(),
)
def test_due_now_is_said_of_exactly_what_the_next_run_claims(
    provider: ProviderServer,
    switched: dict[str, Any],
    channels: dict[str, Any],
    some_invites: list[Any],
    some_messages: list[Any],
    is_a_worker_about: bool,
) -> None:
    clear()
    Suppression.objects.create(address=SUPPRESSED, reason="bounced")
    open_channels(channels)
    for drawn in some_invites:
        make_invite(*drawn)
    for drawn in some_messages:
        make_message(*drawn)
    if is_a_worker_about:
        Worker.objects.create(name="one", kind=Worker.Kind.LOOP)

    with everything_with(switched):
        before = told()
        claims = run_the_senders()

    for (model, key), row in before.items():
        assert_as_told(row, model.objects.get(pk=key), claims=claims[model, key])


def assert_as_told(row: Any, after: Any, *, claims: int) -> None:
    """Hold what was said of a row against what became of it, and how often it was claimed."""
    kind = row.wait.kind if row.wait else None
    what = f"{row.status} row, {row.wait}: now {after.status} ({after.reason}), {claims} claims"
    if kind is Kind.DUE_NOW:
        assert claims == 1, what
        is_cancelled = after.status == "cancelled"
        will_not_go = "it will not be sent" in row.wait.sentence
        assert is_cancelled or row.in_doubt_since or not will_not_go, what
        assert will_not_go <= (after.status != row.DONE), what
    elif kind is Kind.USED_UP:
        assert (claims, after.status, after.reason) == (0, "failed", "exhausted"), what
    elif kind is Kind.UNDER_A_TEST and row.retry.canary is None:
        assert after.canary is None, what  # it is as it was before, whatever that was
    elif kind is not Kind.LOST:
        as_it_was = (row.status, row.lease_number, row.canary)
        assert claims == 0, what
        assert (after.status, after.lease_number, after.canary) == as_it_was, what


@pytest.mark.parametrize("table", ["invites", "messages"])
def test_a_hold_of_a_few_seconds_is_waited_for_so_its_rows_are_due_now(
    provider: ProviderServer, table: str
) -> None:
    fields = {"status": "pending"}
    make_invite(fields, False) if table == "invites" else make_message(
        fields, True, False, "none", None
    )
    for name in ("email", "whatsapp"):
        Channel.objects.create(
            name=name, held_until=Now() + timedelta(seconds=1), held_because="rate_limit"
        )

    before = told()
    run_the_senders()

    [((model, key), row)] = before.items()
    assert row.wait.kind is Kind.DUE_NOW
    assert model.objects.get(pk=key).status == row.DONE
