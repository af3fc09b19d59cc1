"""Invented customers, bookings and classes."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import factory
from django.utils import timezone

from bookings.models import (
    Booking,
    ClassPackage,
    ClassSession,
    Customer,
    Enrolment,
    Instructor,
    Plan,
)

AN_EVENING = datetime(2026, 12, 1, 18, 30, tzinfo=UTC)  # a Tuesday, in winter time
AGREED_AT = datetime(2026, 9, 1, 9, 0, tzinfo=UTC)


class CustomerFactory(factory.django.DjangoModelFactory[Customer]):
    """With an address and a number; `agreed=True` lets the club write by WhatsApp."""

    class Meta:
        model = Customer

    class Params:
        agreed = factory.Trait(whatsapp_opted_in_at=AGREED_AT)

    name = factory.Sequence(lambda n: f"Customer {n}")
    email = factory.Sequence(lambda n: f"customer{n}@families.example")
    phone = factory.Sequence(lambda n: f"+4477009{n % 100_000:05d}")


class ClassPackageFactory(factory.django.DjangoModelFactory[ClassPackage]):
    class Meta:
        model = ClassPackage

    name = factory.Sequence(lambda n: f"Junior running {n}")
    plan = Plan.MONTHLY
    price = Decimal("42.00")
    currency = "GBP"


class BookingFactory(factory.django.DjangoModelFactory[Booking]):
    """A confirmed monthly booking on Tuesdays; `per_class=True` makes it one per class."""

    class Meta:
        model = Booking

    class Params:
        per_class = factory.Trait(
            plan=Plan.PER_CLASS, billing_anchor_on=None, billed_through_on=None
        )

    customer = factory.SubFactory(CustomerFactory)
    package = factory.SubFactory(ClassPackageFactory, plan=factory.SelfAttribute("..plan"))
    plan = Plan.MONTHLY
    status = Booking.Status.CONFIRMED
    weekdays = factory.LazyFunction(lambda: [2])
    starts_at_time = time(18, 30)
    billing_anchor_on = factory.LazyFunction(lambda: date(2026, 11, 3))
    billed_through_on = factory.LazyFunction(lambda: date(2026, 12, 2))
    price = Decimal("42.00")
    currency = "GBP"


class InstructorFactory(factory.django.DjangoModelFactory[Instructor]):
    class Meta:
        model = Instructor

    name = factory.Sequence(lambda n: f"Instructor {n}")
    email = factory.Sequence(lambda n: f"instructor{n}@families.example")


class ClassSessionFactory(factory.django.DjangoModelFactory[ClassSession]):
    """An hour on a Tuesday evening; `online=True` holds it by Zoom."""

    class Meta:
        model = ClassSession

    class Params:
        online = factory.Trait(is_online=True)

    title = "Junior running"
    package = factory.SubFactory(ClassPackageFactory)
    instructor = factory.SubFactory(InstructorFactory)
    starts_at = AN_EVENING
    ends_at = factory.LazyAttribute(lambda session: session.starts_at + timedelta(hours=1))


class EnrolmentFactory(factory.django.DjangoModelFactory[Enrolment]):
    class Meta:
        model = Enrolment

    booking = factory.SubFactory(BookingFactory)
    session = factory.SubFactory(
        ClassSessionFactory, package=factory.SelfAttribute("..booking.package")
    )


def class_in(hours: float = -2, **more: Any) -> ClassSession:
    """Make a class of one hour that begins in so many hours from now; it is over by default."""
    return ClassSessionFactory.create(starts_at=timezone.now() + timedelta(hours=hours), **more)


def make_bookings(count: int, **fields: Any) -> list[Booking]:
    """Make so many bookings of different customers in one package, with few statements."""
    package = ClassPackageFactory.create(plan=fields.get("plan", Plan.MONTHLY))
    people = Customer.objects.bulk_create(CustomerFactory.build_batch(count))
    return Booking.objects.bulk_create(
        BookingFactory.build(customer=person, package=package, **fields) for person in people
    )
