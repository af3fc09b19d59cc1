"""What staff should look at, in one e-mail a day, sent only where there is something."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.urls import reverse

from billing.alerts import staff_alerts
from billing.models import BillingProblem
from billing.verdicts import Verdict
from invites.models import Invite
from jobs.lateness import late_jobs
from notifications.models import Notification, NotificationQuerySet
from notifications.services import Message

STUCK_AFTER = timedelta(hours=1)
MOST_NAMED = 5
NEXT_STEP = "Open each of them and do what it says: correct, retry, or run the job."


@dataclass(frozen=True)
class Section:
    """One kind of thing to look at: its count in a headline, and its first names."""

    headline: str
    details: str


@dataclass(frozen=True)
class Digest:
    """What the e-mail of one business date says; no section, no e-mail."""

    on: date
    sections: tuple[Section, ...]

    @property
    def headline(self) -> str:
        return ", ".join(section.headline for section in self.sections)

    @property
    def details(self) -> str:
        return "\n".join(section.details for section in self.sections)

    @property
    def messages(self) -> list[Message]:
        """One for each member of staff, the same one however often it is asked for that day."""
        if not self.sections:
            return []
        return staff_alerts(
            self.headline,
            details=self.details,
            next_step=NEXT_STEP,
            path=reverse("admin:index"),
            key=f"staff_alert/digest/{self.on.isoformat()}",
        )


def digest_of(on: date, *, now: datetime, job: str, problems: Sequence[Verdict]) -> Digest:
    """Return what staff should look at; `problems` are what the job found in this very run."""
    sections = (*_of_messages(), *_of_jobs(now, job), *_of_bookings(job, problems))
    return Digest(on, sections)


def _of_messages() -> Iterator[Section]:
    yield from _section("invite failed", "invites failed", Invite.objects.failed())
    failed = Notification.objects.filter(status=Notification.Status.FAILED)
    yield from _section("message failed", "messages failed", failed)
    yield from _section("message is stuck", "messages are stuck", stuck_messages())


def stuck_messages() -> NotificationQuerySet:
    """Return the messages that were due more than STUCK_AFTER ago and have not gone."""
    long_ago = Now() - STUCK_AFTER
    waiting = Notification.objects.due().filter(
        Q(due_at__lt=long_ago) | Q(due_at=None, created_at__lt=long_ago)
    )
    half_done = Notification.objects.filter(
        status=Notification.Status.PROCESSING, updated_at__lt=long_ago
    )
    return waiting | half_done


def _of_jobs(now: datetime, job: str) -> Iterator[Section]:
    late = [state.job.title for state in late_jobs(now) if state.job.name != job]
    yield from _section("job is late", "jobs are late", late)


def _of_bookings(job: str, problems: Sequence[Verdict]) -> Iterator[Section]:
    others = BillingProblem.objects.filter(solved_at=None).exclude(job=job)
    others = others.select_related("booking__customer", "booking__package")
    yield from _section("booking could not be billed", "bookings could not be billed", others)
    yield from _section(
        "booking could not be reminded",
        "bookings could not be reminded",
        [f"{each.booking}: {each.problem}" for each in problems],
    )


def _section(one: str, many: str, found: QuerySet[Any] | Sequence[str]) -> Iterator[Section]:
    """Return the section of what was found, if there is any: how many, and the first by name."""
    count = found.count() if isinstance(found, QuerySet) else len(found)
    if not count:
        return
    names = [str(each).rstrip(".") for each in found[:MOST_NAMED]]
    more = f" and {count - MOST_NAMED} more" if count > MOST_NAMED else ""
    headline = f"{count} {one if count == 1 else many}"
    yield Section(headline, f"{headline}: {', '.join(names)}{more}.")
