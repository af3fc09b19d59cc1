"""The two jobs that look after unpaid invoices, and their results as existing callers read them."""

from datetime import date, datetime
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from billing.access import bookings_to_look_at, failed_move, move_bookings, moves_due
from billing.batches import NOBODY, Row, Walk, Watch
from billing.clock import clock_of_database
from billing.digest import digest_of
from billing.escalation_rows import (
    NOT_MOVED,
    OUTCOMES,
    REMINDED,
    row_of_digest,
    row_of_move,
    row_of_reminder,
)
from billing.links import require_site
from billing.listing import Listing, beginning
from billing.problems import note_problems, solve_unseen
from billing.reminding import failed_reminder, invoices_to_remind, remind, reminders_due
from billing.verdicts import Verdict
from bookings.models import Booking
from jobs.models import JobRun
from notifications.services import enqueue

ACCESS_JOB = "escalate_overdue_bookings"
REMINDER_JOB = "run_escalation_orchestration"
COUNTS = (*OUTCOMES.values(), "no_change", "total_processed")
ALREADY_DONE = "It ran for this business date already. Add --force to run it again."


def escalate_overdue_bookings(
    on: date, *, dry_run: bool = False, watch: Watch = NOBODY
) -> dict[str, Any]:
    """Let the access of every booking follow its oldest unpaid invoice.

    Looked at are the bookings with a late invoice and those that are not active. With `dry_run`
    nothing is written, and the result is what the next real run writes.
    """
    course = Round(ACCESS_JOB, on, dry_run=dry_run, watch=watch)
    counts = course.move_all()
    course.close()
    return {**beginning(on, dry_run=dry_run), **counts, **course.ending()}


def run_escalation_orchestration(
    on: date, *, now: datetime, force: bool = False, dry_run: bool = False, watch: Watch = NOBODY
) -> dict[str, Any]:
    """Move access, remind of what is due or overdue, tell staff what to look at; once a date.

    A second run for a business date does nothing and says `already_done`, unless `force`. What was
    done stays done all the same: no step is taken twice, and staff get one digest a day.
    """
    course = Round(REMINDER_JOB, on, dry_run=dry_run, watch=watch)
    head = {**beginning(on, dry_run=dry_run), "timestamp": now.isoformat()}
    if not force and is_done(on):
        nothing = {"reminders_sent": 0, "escalation": dict.fromkeys(COUNTS, 0)}
        return {**head, "already_done": True, **nothing, **course.ending(), "note": ALREADY_DONE}
    escalation = course.move_all()
    reminders_sent = course.remind_all()
    course.close()
    course.tell_staff(now)
    return {
        **head,
        "already_done": False,
        "reminders_sent": reminders_sent,
        "escalation": escalation,
        **course.ending(),
    }


def is_done(on: date) -> bool:
    """Return whether the reminders of a business date went through to their end."""
    return done_runs().filter(business_on=on).exists()


def done_runs() -> QuerySet[JobRun]:
    """Return the runs that reminded of all that was due on their business date."""
    ran = JobRun.objects.filter(job=REMINDER_JOB, dry_run=False)
    return ran.filter(status=JobRun.Status.SUCCEEDED, result__left=0)


class Round:
    """One run of a job for one business date, for real or to be looked at, and what it tells.

    Raises NotConfigured where its messages would link to nowhere.
    """

    def __init__(self, job: str, on: date, *, dry_run: bool, watch: Watch) -> None:
        require_site()
        self.job = job
        self.on = on
        self.dry_run = dry_run
        self.watch = watch
        self.began = clock_of_database()
        self.listing = Listing()
        self.problems: dict[int, Verdict] = {}  # by booking
        self.left = 0

    def move_all(self) -> dict[str, int]:
        """Move the access of every booking whose lateness asks for it; return the counts."""
        act = (
            partial(moves_due, on=self.on)
            if self.dry_run
            else partial(move_bookings, on=self.on, actor=self.job)
        )
        walk = Walk(self.job, bookings_to_look_at(self.on), act, failed_move, self.watch)
        for moved in walk.results():
            self._tell(row_of_move(moved), moved.booking, moved.problem)
        self.left += walk.left
        outcomes = self.listing.outcomes
        moves = [outcomes[outcome] for outcome in OUTCOMES.values()]
        no_change = walk.done - sum(moves) - outcomes[NOT_MOVED]
        return dict(zip(COUNTS, [*moves, no_change, walk.done], strict=True))

    def remind_all(self) -> int:
        """Take every step that is due; return of how many invoices customers are reminded."""
        act = partial(reminders_due if self.dry_run else remind, on=self.on)
        due = invoices_to_remind(self.on).order_by("pk").values_list("pk", flat=True)
        walk = Walk(self.job, list(due), act, failed_reminder, self.watch)
        for reminded in walk.results():
            self._tell(row_of_reminder(reminded), reminded.invoice.booking, reminded.problem)
        self.left += walk.left
        return self.listing.outcomes[REMINDED]

    def tell_staff(self, now: datetime) -> None:
        """Queue the day's digest, if there is anything to look at and the run came to its end.

        It tells how things stand now, so a day that is caught up late would repeat a later one's.
        """
        if self.left or done_runs().filter(business_on__gt=self.on).exists():
            return
        digest = digest_of(self.on, now=now, job=self.job, problems=[*self.problems.values()])
        if not digest.sections:
            return
        if not self.dry_run:
            enqueue(digest.messages)
        self._tell(row_of_digest(digest))

    def close(self) -> None:
        """Write down what could not be done, and solve what no longer stands in the way."""
        if self.dry_run:
            return
        with transaction.atomic():
            note_problems(self.job, [*self.problems.values()], on=self.on)
            if not self.left:
                solve_unseen(self.job, on=self.on, since=self.began)

    def ending(self) -> Row:
        """Return what both results end with."""
        errors = len(self.problems)
        return {"error_count": errors, **self.listing.ending(left=self.left, what="rows")}

    def _tell(self, row: Row, booking: Booking | None = None, problem: str = "") -> None:
        self.listing.list_rows([row])
        self.watch.on_rows([row])
        if booking is not None and problem:
            self.problems[booking.pk] = Verdict(booking, problem=problem)
