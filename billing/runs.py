"""A run of a billing job: what a batch of bookings is billed, for real or to be looked at."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction
from django.db.models.functions import Now

from billing.issuing import Numbered, counter_of, lock_counter, number, store
from billing.models import InvoiceCounter
from billing.problems import note_problems, solve_unseen
from billing.verdicts import Verdict
from bookings.models import Booking, BookingEvent, BookingQuerySet
from egac.days import span_in_words
from egac.keys import with_keys

# What no invoice says, and no verdict asks; times and arrays are dear to read.
UNREAD = (
    *("weekdays", "starts_at_time", "access_moved_on", "reference", "created_at", "updated_at"),
    *("customer__note", "customer__reference", "customer__created_at"),
)
WAIVED = "Its billing date fell while the booking was locked."


@dataclass(frozen=True)
class BillingJob:
    """Which bookings a job looks at on a day, and what it decides about some of them."""

    name: str
    to_bill: Callable[[date], BookingQuerySet]
    judge: Callable[[Sequence[Booking], date], list[Verdict]]

    def bookings(self, ids: Sequence[int], on: date) -> BookingQuerySet:
        """Return those of these bookings that are still to be looked at."""
        rows = self.to_bill(on).filter(with_keys(ids)).order_by("pk").defer(*UNREAD)
        # Many have the same few packages.
        return rows.select_related("customer").prefetch_related("package")


@dataclass(frozen=True)
class Billed:
    """What a run did, or would do, about one booking."""

    verdict: Verdict
    issued: tuple[Numbered, ...] = ()


class Books:
    """A run for real. Each batch is one transaction under the lock of the year's numbers."""

    def __init__(self, job: BillingJob, on: date) -> None:
        self.job = job
        self.on = on

    def bill(self, ids: Sequence[int]) -> list[Billed]:
        """Bill these bookings together, or raise and have billed none."""
        with transaction.atomic():
            # Before anything is read: what another run has billed until then is seen.
            counter = lock_counter(self.on.year)
            rows = self.job.bookings(ids, self.on)
            locked = rows.select_for_update(of=("self",), no_key=True)
            verdicts = self.job.judge(list(locked), self.on)
            billed = numbered(verdicts, counter)
            store([each for one in billed for each in one.issued], counter)
            move_on(verdicts, actor=self.job.name)
            note_problems(self.job.name, verdicts, on=self.on)
        return billed

    def give_up(self, key: int, reason: str) -> Billed:
        """Write down that one booking failed by itself."""
        billed = failed(key, reason)
        note_problems(self.job.name, [billed.verdict], on=self.on)
        return billed

    def close(self, *, since: datetime) -> None:
        """End a run that has looked at every booking."""
        solve_unseen(self.job.name, on=self.on, since=since)


class Preview(Books):
    """A dry run: the same decisions and numbers, and nothing is written."""

    def __init__(self, job: BillingJob, on: date) -> None:
        super().__init__(job, on)
        self.counter = counter_of(on.year)

    def bill(self, ids: Sequence[int]) -> list[Billed]:
        trial = InvoiceCounter(year=self.counter.year, last=self.counter.last)
        billed = numbered(self.job.judge(list(self.job.bookings(ids, self.on)), self.on), trial)
        self.counter = trial
        return billed

    def give_up(self, key: int, reason: str) -> Billed:
        """Say it, and leave the list of problems as it is."""
        return failed(key, reason)

    def close(self, *, since: datetime) -> None:
        """Leave the list of problems as it is."""


def numbered(verdicts: Sequence[Verdict], counter: InvoiceCounter) -> list[Billed]:
    """Give every draft its number, in the order of the bookings."""
    return [Billed(verdict, tuple(number(verdict.drafts, counter))) for verdict in verdicts]


def move_on(verdicts: Sequence[Verdict], *, actor: str) -> None:
    """Move the day that bookings are billed through, and write down what was waived."""
    for day in {each.billed_through_on for each in verdicts if each.billed_through_on}:
        ids = [each.booking.pk for each in verdicts if each.billed_through_on == day]
        Booking.objects.filter(with_keys(ids)).update(billed_through_on=day, updated_at=Now())
    BookingEvent.objects.bulk_create(
        BookingEvent(
            booking=verdict.booking,
            kind=BookingEvent.Kind.WAIVED,
            actor=actor,
            new=span_in_words(period.starts_on, period.ends_on),
            why=WAIVED,
        )
        for verdict in verdicts
        for period in verdict.waived
    )


def failed(key: int, reason: str) -> Billed:
    """Return that one booking failed by itself."""
    booking = Booking.objects.select_related("customer", "package").get(pk=key)
    return Billed(Verdict(booking, problem=f"It could not be billed: {reason}"))
