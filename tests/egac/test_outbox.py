"""The life of an outgoing row: claimed, recorded, orphaned, changed by staff."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.db.models import F
from django.db.models.functions import Now
from pytest_django.fixtures import Settings

from egac import orphans
from egac.delivery import MessageAudit
from egac.orphans import settle_orphans
from egac.prepare import judged, prepare
from egac.providers import Cause, ProviderError
from egac.providers.resend import EMAIL
from egac.record import Ended, Record, given_back, record
from invites.models import Invite, InviteQuerySet
from tests.egac.threads import side_by_side
from tests.invites.factories import InviteFactory, make_invites

pytestmark = pytest.mark.django_db
in_threads = pytest.mark.django_db(transaction=True)

Status = Invite.Status
LEASE = timedelta(seconds=30)
REFUSED = ProviderError("No such mailbox.", permanent=True, cause=Cause.MESSAGE, code="422")
BROKEN = ProviderError("It is down.", cause=Cause.UNAVAILABLE, code="500")
SILENT = ProviderError("It did not answer.", cause=Cause.UNKNOWN, code="timeout")


def claim(count: int = 1, *, owner: str = "me") -> list[Invite]:
    return Invite.objects.claim(count, owner=owner, lease=LEASE)


def claim_one() -> Invite:
    [row] = claim()
    return row


def end(row: Invite, error: ProviderError | None = None, answer: str = "re_1") -> list[Record]:
    """Record how the call of a claimed row ended."""
    ended = Ended(row, "" if error else answer, error, seconds=0.1)
    return record(Invite.objects.all(), [judged(ended, EMAIL, channel_is_down=False, jitter=0)])


def call_started(row: Invite) -> Invite:
    row.rendered = '{"subject": "Hello"}'
    assert Invite.objects.all().start([row]) == {row.pk}
    return row


def kill_the_sender() -> None:
    """Let every lease run out."""
    Invite.objects.filter(status=Status.PROCESSING).update(
        lease_ends_at=Now() - timedelta(milliseconds=1)
    )


def settle() -> int:
    return settle_orphans(Invite.objects.all(), EMAIL, lease=LEASE)


def state_of(row: Invite) -> tuple[Any, ...]:
    fresh = Invite.objects.get(pk=row.pk)
    return (fresh.status, fresh.attempts, fresh.in_doubt_since is not None)


# Claims


@in_threads
def test_two_claimers_never_get_one_row() -> None:
    for _ in range(5):
        make_invites(60)
        taken = side_by_side(6, lambda number: claim_until_none_is_left(owner=str(number)))

        keys = [row.pk for batches in taken for batch in batches for row in batch]
        assert len(keys) == len(set(keys)) == 60
        assert max(len(batch) for batches in taken for batch in batches) <= 7
        Invite.objects.all().delete()


def claim_until_none_is_left(*, owner: str) -> list[list[Invite]]:
    """Claim by sevens until nothing waits; a locked row is skipped, so look again."""
    batches: list[list[Invite]] = []
    while Invite.objects.due().exists():
        batches.append(claim(7, owner=owner))
    return batches


def test_a_claim_gives_the_row_a_lease_with_a_new_number() -> None:
    before = InviteFactory.create(lease_number=7)

    row = claim_one()

    number = row.lease_number
    row.refresh_from_db()
    left = Invite.objects.annotate(left=F("lease_ends_at") - Now()).get().left
    assert (row.status, row.lease_owner, row.lease_number) == (Status.PROCESSING, "me", number)
    assert number > before.lease_number
    assert timedelta(seconds=29) < left <= LEASE


def test_a_lease_number_grows_even_where_the_clock_went_back() -> None:
    in_a_year = 10**6 * int(time.time() + 365 * 86_400)
    InviteFactory.create(lease_number=in_a_year)

    assert claim_one().lease_number == in_a_year + 1


@pytest.mark.django_db(transaction=True)
def test_a_number_that_a_crash_undid_is_never_given_again() -> None:
    row = InviteFactory.create()
    before = Invite.objects.filter(pk=row.pk).values().get()
    lost = claim_one()
    Invite.objects.filter(pk=row.pk).update(**before)  # as a crash leaves it: nobody claimed it

    claimed_anew = claim_one()

    assert claimed_anew.lease_number > lost.lease_number
    assert Invite.objects.start(prepare([lost], EMAIL)[0]) == set()


@pytest.mark.django_db(transaction=True)
def test_only_a_claim_waits_for_no_disk() -> None:
    InviteFactory.create()

    claim_one()

    with connection.cursor() as cursor:
        cursor.execute("SHOW synchronous_commit")
        assert cursor.fetchone() == ("on",)


def test_claims_what_has_waited_longest_first() -> None:
    last = InviteFactory.create(due_at=Now() - timedelta(minutes=1))
    third = InviteFactory.create(due_at=Now() - timedelta(hours=1))
    second = InviteFactory.create(created_at=Now() - timedelta(hours=2))
    first = InviteFactory.create(created_at=Now() - timedelta(hours=3))

    assert [row.pk for row in claim(9)] == [first.pk, second.pk, third.pk, last.pk]


@pytest.mark.parametrize(
    ("fields", "is_taken"),
    [
        ({}, True),
        ({"due_at": Now()}, True),
        ({"due_at": Now() + timedelta(seconds=2)}, False),
        ({"attempts": 2}, True),
        ({"attempts": 3}, False),
        ({"attempts": 3, "in_doubt_since": Now()}, True),
        ({"attempts": 3, "in_doubt_since": Now(), "due_at": Now() + timedelta(hours=1)}, False),
        ({"status": Status.PROCESSING}, False),
        ({"status": Status.SENT}, False),
        ({"status": Status.CANCELLED}, False),
        ({"status": Status.FAILED, "reason": "permanent"}, False),
    ],
)
def test_claims_what_is_due_and_nothing_else(fields: dict[str, Any], is_taken: bool) -> None:
    InviteFactory.create(**fields)

    assert bool(claim()) is is_taken


def test_a_row_whose_sender_died_is_claimed_alone_and_last() -> None:
    make_invites(2, orphaned=True)
    make_invites(3)

    sizes = [len(claim(10)) for _ in range(4)]

    assert sizes == [3, 1, 1, 0]


def test_a_claim_stays_within_its_rows() -> None:
    chosen, _other = make_invites(2)
    rows = Invite.objects.filter(pk=chosen.pk)

    assert [row.pk for row in rows.claim(9, owner="me", lease=LEASE)] == [chosen.pk]


def test_prolongs_its_own_leases_that_nobody_took() -> None:
    make_invites(4)
    [mine], [late], [taken], _theirs = claim(), claim(), claim(), claim(owner="other")
    Invite.objects.filter(pk__in=[late.pk, taken.pk]).update(
        lease_ends_at=Now() - timedelta(seconds=1)
    )
    Invite.objects.filter(pk=taken.pk).update(lease_owner="other", lease_number=2)

    prolonged = Invite.objects.extend(owner="me", lease=timedelta(hours=1))

    assert prolonged == {mine.pk, late.pk}


# Records


@pytest.mark.parametrize(
    ("error", "status", "reason", "attempts"),
    [
        (None, Status.SENT, None, 1),
        (REFUSED, Status.FAILED, "permanent", 1),
        (BROKEN, Status.PENDING, None, 1),
        (SILENT, Status.PENDING, None, 1),
        (ProviderError("Slow down.", cause=Cause.RATE_LIMIT), Status.PENDING, None, 0),
    ],
)
def test_records_how_a_call_ended(
    error: ProviderError | None, status: str, reason: str | None, attempts: int
) -> None:
    InviteFactory.create()
    row = claim_one()

    end(row, error)

    row.refresh_from_db()
    assert (row.status, row.reason, row.attempts) == (status, reason, attempts)
    assert (row.lease_owner, row.lease_ends_at, row.call_started_at) == (None, None, None)
    assert (row.sent_at is not None) is (error is None)
    assert row.provider_message_id == (None if error else "re_1")
    assert row.last_error == (error and {"code": error.code, "message": str(error)})


def test_the_next_try_comes_after_the_back_off() -> None:
    InviteFactory.create()

    end(claim_one(), BROKEN)

    waits = Invite.objects.annotate(wait=F("due_at") - F("updated_at")).get().wait
    assert waits == timedelta(minutes=1)


def test_a_sent_row_keeps_no_old_error() -> None:
    InviteFactory.create(last_error={"code": "500", "message": "It is down."}, attempts=1)

    end(claim_one())

    assert Invite.objects.get().last_error is None


def test_a_late_finisher_changes_nothing_and_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    InviteFactory.create()
    late = call_started(claim_one())
    kill_the_sender()
    settle()
    end(claim_one(), answer="by_the_second")
    before = Invite.objects.values().get()

    written = end(late, REFUSED)

    assert written == []
    assert Invite.objects.values().get() == before
    assert not MessageAudit.objects.filter(outcome="refused").exists()
    assert f"invites {late.pk}: its lease was lost" in caplog.text


def test_a_late_start_is_refused() -> None:
    InviteFactory.create()
    late = claim_one()
    kill_the_sender()
    settle()
    claim_one()

    assert Invite.objects.all().start([late]) == set()
    assert Invite.objects.get().rendered is None


def test_the_row_and_its_audit_line_are_written_together_or_not_at_all() -> None:
    InviteFactory.create()
    row = claim_one()
    too_large = Ended(row, answer="re_1", seconds=1e12)  # no integer column holds its ms

    with pytest.raises(DatabaseError):
        record(Invite.objects.all(), [judged(too_large, EMAIL, channel_is_down=False, jitter=0)])

    assert state_of(row) == (Status.PROCESSING, 0, False)
    assert MessageAudit.objects.count() == 0


def test_an_invite_accepted_meanwhile_stays_accepted() -> None:
    InviteFactory.create()
    row = claim_one()
    Invite.objects.update(status=Status.ACCEPTED, accepted_at=Now())

    end(row)

    row.refresh_from_db()
    assert (row.status, row.provider_message_id) == (Status.ACCEPTED, "re_1")


def test_a_row_given_back_is_as_it_was() -> None:
    error = {"code": "500", "message": "It is down."}
    InviteFactory.create(
        attempts=1,
        due_at=Now() - timedelta(minutes=5),
        last_error=error,
        in_doubt_since=Now() - timedelta(minutes=6),
        repeats=2,
    )
    kept = ("status", "attempts", "due_at", "last_error", "in_doubt_since", "repeats", "orphaned")
    before = Invite.objects.values(*kept).get()

    record(Invite.objects.all(), [given_back(claim_one())])

    assert Invite.objects.values(*kept).get() == before
    assert MessageAudit.objects.count() == 0


@pytest.mark.parametrize(
    "words",
    ["zero \0 byte", "half \ud83d of a character", "x" * 1_000_000, "%s %(name)s {braces} '\"\\"],
)
def test_records_whatever_a_provider_says(words: str) -> None:
    InviteFactory.create()
    row = claim_one()

    end(row, ProviderError(words, cause=Cause.UNAVAILABLE, code=words[:20]))

    [(status, told)] = Invite.objects.values_list("status", "last_error__message")
    assert status == Status.PENDING
    assert 0 < len(told) <= 500


def test_keeps_since_when_a_row_is_in_doubt() -> None:
    InviteFactory.create()
    end(call_started(claim_one()), SILENT)
    since = Invite.objects.get().in_doubt_since
    Invite.objects.update(due_at=None)

    end(claim_one(), SILENT)

    row = Invite.objects.get()
    assert (row.in_doubt_since, row.attempts, row.repeats) == (since, 1, 1)


# Orphans


@pytest.mark.parametrize(
    ("attempts", "started", "state"),
    [
        (0, False, (Status.PENDING, 1, False)),
        (2, False, (Status.FAILED, 3, False)),
        (0, True, (Status.PENDING, 1, True)),
        (2, True, (Status.PENDING, 3, True)),
    ],
)
def test_settles_what_a_dead_sender_left(
    attempts: int, started: bool, state: tuple[str, int, bool]
) -> None:
    row = InviteFactory.create(attempts=attempts)
    claimed = claim_one()
    if started:
        call_started(claimed)
    kill_the_sender()

    assert settle() == 1

    assert state_of(row) == state
    line = MessageAudit.objects.get()
    assert (line.outcome, line.counted) == ("unknown" if started else "died", True)


def test_a_row_that_kills_its_sender_comes_to_an_end() -> None:
    row = InviteFactory.create()
    for _ in range(3):
        claim_one()
        kill_the_sender()
        settle()

    row.refresh_from_db()
    assert (row.status, row.reason, row.attempts) == (Status.FAILED, "exhausted", 3)
    assert (row.last_error or {})["message"] == "The sender died before the call."


@pytest.mark.parametrize("started", [True, False])
def test_a_sender_that_died_over_a_row_in_doubt_costs_no_attempt(started: bool) -> None:
    row = InviteFactory.create(attempts=3, in_doubt_since=Now())
    claimed = claim_one()
    if started:
        call_started(claimed)
    kill_the_sender()

    settle()

    assert state_of(row) == (Status.PENDING, 3, True)
    assert not MessageAudit.objects.get().counted


def test_a_live_sender_leaves_no_orphan() -> None:
    make_invites(2)
    call_started(claim(2)[0])

    assert settle() == 0


@pytest.mark.parametrize(("seconds_ago", "is_settled"), [(31, True), (5, False)])
def test_a_row_of_the_older_program_waits_for_the_length_of_a_lease(
    seconds_ago: int, is_settled: bool
) -> None:
    row = InviteFactory.create(
        status=Status.PROCESSING, updated_at=Now() - timedelta(seconds=seconds_ago), attempts=1
    )

    settle()

    state = Status.PENDING if is_settled else Status.PROCESSING
    assert state_of(row) == (state, 1, False)
    assert MessageAudit.objects.count() == 0


@in_threads
def test_an_orphan_is_settled_once_however_many_look() -> None:
    make_invites(40)
    claim(40)
    kill_the_sender()

    settled = side_by_side(5, lambda _: settle())

    assert sum(settled) == 40
    assert Invite.objects.filter(attempts=1).count() == MessageAudit.objects.count() == 40


def test_settles_more_orphans_than_fit_one_transaction(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orphans, "AT_ONCE", 3)
    make_invites(7)
    claim(7)
    kill_the_sender()

    assert settle() == 7


@pytest.mark.parametrize(
    ("fields", "state"),
    [
        ({"attempts": 3}, Status.FAILED),
        ({"attempts": 9, "due_at": Now() + timedelta(days=1)}, Status.FAILED),
        ({"attempts": 2}, Status.PENDING),
        ({"attempts": 3, "in_doubt_since": Now()}, Status.PENDING),
        ({"attempts": 3, "status": Status.PROCESSING}, Status.PROCESSING),
    ],
)
def test_gives_up_what_waits_without_an_attempt_left(fields: dict[str, Any], state: str) -> None:
    InviteFactory.create(**fields)

    Invite.objects.give_up()

    row = Invite.objects.get()
    assert row.status == state
    assert row.reason == ("exhausted" if state == Status.FAILED else None)


def test_gives_up_by_the_limit_of_today(settings: Settings) -> None:
    InviteFactory.create(attempts=2)
    settings.MAX_INVITE_RETRIES = 2

    assert Invite.objects.give_up() == 1


# What staff do


@pytest.mark.parametrize(
    ("verb", "changed"),
    [
        (InviteQuerySet.requeue, {Status.FAILED, Status.CANCELLED}),
        (InviteQuerySet.send_again, {Status.SENT}),
        (InviteQuerySet.make_due, {Status.PENDING}),
        (InviteQuerySet.cancel, {Status.PENDING, Status.FAILED}),
    ],
)
def test_a_verb_of_staff_changes_only_rows_in_its_states(
    verb: Callable[[InviteQuerySet], int], changed: set[str]
) -> None:
    for status in Status:
        InviteFactory.create(status=status, attempts=1)
    before = {row.pk: row for row in Invite.objects.all()}

    count = verb(Invite.objects.all())

    now_other = {
        before[row.pk].status
        for row in Invite.objects.all()
        if row.updated_at != before[row.pk].updated_at
    }
    assert (count, now_other) == (len(changed), changed)


@pytest.mark.parametrize(
    ("verb", "status"),
    [(InviteQuerySet.requeue, Status.FAILED), (InviteQuerySet.send_again, Status.SENT)],
)
def test_a_new_generation_begins_afresh_under_another_key(
    verb: Callable[[InviteQuerySet], int], status: str
) -> None:
    row = InviteFactory.create(
        status=status,
        attempts=3,
        reason="exhausted",
        rendered="{}",
        last_error={"code": "500"},
        due_at=Now() + timedelta(days=1),
        in_doubt_since=Now(),
        repeats=4,
        orphaned=True,
    )
    row.refresh_from_db()

    assert verb(Invite.objects.all()) == 1

    fresh = Invite.objects.get()
    assert (fresh.status, fresh.generation, fresh.attempts) == (Status.PENDING, 2, 0)
    assert fresh.idempotency_key != row.idempotency_key
    left = ("due_at", "reason", "rendered", "last_error", "in_doubt_since", "repeats", "orphaned")
    assert not any(getattr(fresh, name) for name in left)
    assert len(claim()) == 1


@in_threads
def test_of_two_presses_at_once_one_begins_a_generation() -> None:
    InviteFactory.create(status=Status.FAILED, reason="permanent")

    changed = side_by_side(4, lambda _: Invite.objects.requeue())

    assert sorted(changed) == [0, 0, 0, 1]
    assert Invite.objects.get().generation == 2


def test_every_row_and_generation_has_a_key_of_its_own() -> None:
    rows = [InviteFactory.create(), InviteFactory.create(), InviteFactory.create(generation=2)]
    for row in rows:
        row.refresh_from_db()

    keys = {row.idempotency_key for row in rows}

    assert len(keys) == 3
    assert all(len(key) <= 256 for key in keys)
