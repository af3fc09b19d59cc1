"""The invented club, saved once into an empty database."""

from datetime import datetime

from django.db import transaction

from bookings import demo
from bookings.booking import Refused, confirm_bookings, note_event
from bookings.models import (
    Booking,
    BookingEvent,
    ClassPackage,
    ClassSession,
    Customer,
    Enrolment,
    Instructor,
)

ACTOR = "seed_demo"
NEWLY_CONFIRMED = 2  # of the invented bookings that wait


def seed_demo(now: datetime) -> int:
    """Fill empty tables with the invented club, once; return how many customers it made.

    Each monthly booking is billed through the end of the period that now falls in. A few bookings
    are confirmed as staff do it, so that messages wait to be sent. Raises Refused where a row
    stands that is not invented.
    """
    with transaction.atomic():
        if _is_real():
            raise Refused("This database holds real rows, so nothing was invented here.")
        if Customer.objects.exists():
            return 0
        people = Customer.objects.bulk_create(demo.customers(now))
        packages = ClassPackage.objects.bulk_create(demo.packages())
        coaches = Instructor.objects.bulk_create(demo.instructors())
        booked = Booking.objects.bulk_create(demo.bookings(people, packages, now))
        held = ClassSession.objects.bulk_create(demo.sessions(packages, coaches, now))
        Enrolment.objects.bulk_create(demo.enrolments(held, booked))
        note_event([each.pk for each in booked], kind=BookingEvent.Kind.MADE, actor=ACTOR)
        waiting = [each.pk for each in booked if each.status == Booking.Status.PENDING]
        confirm_bookings(waiting[:NEWLY_CONFIRMED], now=now, actor=ACTOR)
    return len(people)


def _is_real() -> bool:
    """Whether a row stands that was not invented here."""
    if Customer.objects.exists():
        return Customer.objects.exclude(reference__startswith=demo.MARK).exists()
    return ClassPackage.objects.exists() or ClassSession.objects.exists()
