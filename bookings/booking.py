"""Bookings: made, confirmed and cancelled."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Min
from django.db.models.functions import Now

from bookings import words
from bookings.models import Booking, BookingEvent, ClassSession, Customer, Enrolment, Plan
from bookings.notices import BOOKING_STANDS, Notice, messages_to
from egac.days import instant_in_words
from egac.staff import Changed, Seen, change
from notifications.services import URGENT, Message, enqueue

Status = Booking.Status
Kind = BookingEvent.Kind

WHY_NOT_CONFIRMED = {Status.CONFIRMED: "confirmed already", Status.CANCELLED: "cancelled"}


class Refused(Exception):
    """A verb that cannot be done; the message says why and what to do."""


def make_booking(booking: Booking, *, actor: str) -> Booking:
    """Save a new booking, which waits to be confirmed.

    Asking twice makes one: raises Refused where the customer has the same booking already.
    """
    with transaction.atomic():
        Customer.objects.select_for_update().get(pk=booking.customer_id)
        if twin := twin_of(booking):
            raise Refused(f"The customer has this booking already: number {twin.pk}. Open that.")
        booking.status = Status.PENDING
        if booking.billed_through_on is None:
            booking.billed_through_on = first_billed_through(
                booking.plan, booking.billing_anchor_on
            )
        booking.save()
        note_event([booking.pk], kind=Kind.MADE, actor=actor)
    return booking


def twin_of(booking: Booking) -> Booking | None:
    """Return another open booking of the same person for the same thing at the same times."""
    same = Booking.objects.exclude(pk=booking.pk).exclude(status=Status.CANCELLED)
    return same.filter(
        customer=booking.customer_id,
        package=booking.package_id,
        plan=booking.plan,
        weekdays=booking.weekdays,
        starts_at_time=booking.starts_at_time,
    ).first()


def first_billed_through(plan: str, anchor_on: date | None) -> date | None:
    """Return the day before the first one that is billed: a monthly plan begins on its anchor."""
    if plan != Plan.MONTHLY or anchor_on is None:
        return None
    return anchor_on - timedelta(days=1)


def confirm_bookings(
    ids: Sequence[int], *, now: datetime, actor: str, seen: Seen | None = None
) -> Changed:
    """Confirm bookings that wait, and queue their customers' confirmations, all or nothing.

    Who can be reached on no channel is confirmed and not told.
    """
    with transaction.atomic():
        changed = change(
            Booking.objects.all(),
            ids=ids,
            why_not=why_not_confirmed,
            act=lambda chosen: chosen.update(status=Status.CONFIRMED, updated_at=Now()),
            seen=seen,
        )
        note_event(changed.ids, kind=Kind.CONFIRMED, actor=actor)
        enqueue(confirmations(changed.ids, now=now))
    return changed


def why_not_confirmed(booking: Booking) -> str:
    """Return why this booking cannot be confirmed, or ""."""
    if booking.status in WHY_NOT_CONFIRMED:
        return WHY_NOT_CONFIRMED[Status(booking.status)]
    if booking.price is None:
        return "without a price"
    is_unanchored = booking.plan == Plan.MONTHLY and booking.billing_anchor_on is None
    return "monthly and without a billing anchor" if is_unanchored else ""


def confirmations(ids: Sequence[int], *, now: datetime) -> list[Message]:
    """Return what the customers of these bookings are told once they are confirmed."""
    bookings = Booking.objects.filter(pk__in=ids).select_related("customer", "package")
    enrolled = _first_sessions(ids)
    return [
        message
        for booking in bookings.order_by("pk")
        for message in messages_to(
            booking.customer,
            Notice(
                "booking_confirmation",
                _confirmed_in_words(booking, enrolled.get(booking.pk), now),
                key=f"booking_confirmation/{booking.pk}",
                relevance=BOOKING_STANDS,
                priority=URGENT,
            ),
        )
    ]


def _first_sessions(ids: Sequence[int]) -> dict[int, datetime]:
    """Return when each booking's first class to come begins, of those that are enrolled in one."""
    ahead = Enrolment.objects.order_by().filter(
        booking__in=ids,
        session__status=ClassSession.Status.SCHEDULED,
        session__starts_at__gt=Now(),
    )
    return dict(ahead.values_list("booking").annotate(first=Min("session__starts_at")))


def _confirmed_in_words(
    booking: Booking, enrolled_at: datetime | None, now: datetime
) -> dict[str, Any]:
    zone = settings.BUSINESS_TIME_ZONE
    days, at = booking.weekdays, booking.starts_at_time
    first_at = enrolled_at or words.first_class(days, at, after=now, zone=zone)
    assert booking.price is not None  # why_not_confirmed asks for one
    return {
        "booking_id": booking.pk,
        "name": booking.customer.name,
        "booking": booking.title,
        "times": words.times_in_words(days, at, zone=zone),
        "first_class_at": instant_in_words(first_at) if first_at else words.NO_DAY_YET,
        "price": words.price_in_words(
            booking.plan,
            booking.price,
            currency=booking.currency,
            tax_percent=settings.BILLING_TAX_RATE,
        ),
        "how_billed": words.how_billed(
            booking.plan, lead_days=settings.BILLING_LEAD_DAYS, due_days=settings.T5_DUE_DAYS
        ),
    }


def cancel_bookings(
    ids: Sequence[int], *, because: str, actor: str, seen: Seen | None = None
) -> Changed:
    """Cancel bookings and give up their places in classes to come.

    A queued message about one asks BOOKING_STANDS before it goes, so it is not sent.
    """
    with transaction.atomic():
        changed = change(
            Booking.objects.all(),
            ids=ids,
            why_not=why_not_cancelled,
            act=lambda chosen: chosen.update(status=Status.CANCELLED, updated_at=Now()),
            seen=seen,
        )
        note_event(changed.ids, kind=Kind.CANCELLED, actor=actor, why=because)
        Enrolment.objects.filter(
            booking__in=changed.ids,
            attendance=Enrolment.Attendance.EXPECTED,
            session__starts_at__gt=Now(),
        ).delete()
    return changed


def why_not_cancelled(booking: Booking) -> str:
    """Return why this booking cannot be cancelled, or ""."""
    return "cancelled already" if booking.status == Status.CANCELLED else ""


def note_event(ids: Sequence[int], *, kind: Kind, actor: str, why: str = "") -> None:
    """Write one line into the history of each booking."""
    BookingEvent.objects.bulk_create(
        BookingEvent(booking_id=key, kind=kind, actor=actor, why=why) for key in ids
    )
