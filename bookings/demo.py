"""An invented club for a first look: who books what, and the classes of a month around today.

Every address and number is reserved for documentation and tests. Everything is relative to now.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from django.utils.timezone import make_aware

from bookings.models import (
    Booking,
    ClassPackage,
    ClassSession,
    Customer,
    Enrolment,
    Instructor,
    Plan,
)
from egac.days import business_date
from egac.invented import invented_name

MARK = "demo-"  # how the reference of everybody invented begins

PEOPLE = 60
# What the stand-in does with an address that begins with such a word. None of them breaks a call:
# in a batch it would hold back the messages of everybody beside it.
AWKWARD = ("refused", "busy", "slow")
DAYS_BEHIND, DAYS_AHEAD = 28, 14
REGISTER_IS_DUE = timedelta(days=1)  # the classes of the last day wait for their register
CAME = 0.85
MOST_IN_A_CLASS = 14


@dataclass(frozen=True)
class Offer:
    """A package, when its classes are, and how many of the club book it."""

    name: str
    plan: Plan
    price: str
    weekdays: tuple[int, ...]
    at: time
    bookings: int
    is_online: bool = False


JUNIORS = Offer("Junior running", Plan.MONTHLY, "42.00", (2, 4), time(18, 30), 24)
MASTERS = Offer("Masters", Plan.MONTHLY, "30.00", (1, 3), time(19, 15), 14)
THROWS = Offer("Throws clinic", Plan.PER_CLASS, "8.50", (6,), time(10, 0), 12)
STRENGTH = Offer("Strength online", Plan.PER_CLASS, "6.00", (7,), time(9, 0), 10, is_online=True)
OFFERS = (JUNIORS, MASTERS, THROWS, STRENGTH)


def instructors() -> list[Instructor]:
    """Return who gives the classes, one for each offer."""
    names = ("Sam Okafor", "Grace Lindqvist", "Owen Hughes", "Leila Haddad")
    return [
        Instructor(name=name, email=f"{name.split()[0].lower()}@coaches.example") for name in names
    ]


def packages() -> list[ClassPackage]:
    """Return what can be booked, in the order of OFFERS."""
    return [
        ClassPackage(name=each.name, plan=each.plan, price=Decimal(each.price), currency="GBP")
        for each in OFFERS
    ]


def customers(now: datetime) -> list[Customer]:
    """Return sixty people: a third agreed to WhatsApp, a few have no address or an awkward one."""
    chance = random.Random(20_262)
    return [_customer(chance, number, now) for number in range(PEOPLE)]


def _customer(chance: random.Random, number: int, now: datetime) -> Customer:
    name = invented_name(chance)
    address = f"member.{number}@families.example"
    if number < len(AWKWARD):
        address = f"{AWKWARD[number]}.member@families.example"
    joined_at = now - timedelta(days=chance.randrange(60, 900))
    return Customer(
        name=name,
        email="" if number == PEOPLE - 1 else address,
        phone="" if number % 10 == 9 else f"07700 900{number:03d}",
        whatsapp_opted_in_at=joined_at if number % 3 == 0 else None,
        address=f"{number + 1} Bower Lane\nEast Grinstead",
        reference=f"{MARK}{number}",
        created_at=joined_at,
    )


def bookings(
    people: Sequence[Customer], packages: Sequence[ClassPackage], now: datetime
) -> list[Booking]:
    """Return a booking for each of sixty, most confirmed; two lack what billing needs."""
    made: list[Booking] = []
    for offer, package in zip(OFFERS, packages, strict=True):
        for _ in range(offer.bookings):
            number = len(made)
            made.append(_booking(number, people[number], offer, now))
            made[-1].package = package
    made[0].price = None
    made[1].billing_anchor_on = None
    return made


def _booking(number: int, customer: Customer, offer: Offer, now: datetime) -> Booking:
    next_on = _next_billing(number, business_date(now))
    is_monthly = offer.plan == Plan.MONTHLY
    return Booking(
        customer=customer,
        plan=offer.plan,
        status=_status(number),
        weekdays=list(offer.weekdays),
        starts_at_time=offer.at,
        billing_anchor_on=next_on.replace(year=next_on.year - 1) if is_monthly else None,
        billed_through_on=next_on - timedelta(days=1) if is_monthly else None,
        price=Decimal(offer.price),
        currency="GBP",
        reference=f"{MARK}{number}",
        created_at=customer.created_at,
    )


def _next_billing(number: int, today: date) -> date:
    """Return when a monthly booking is billed next: spread over the month, on days 1 to 28."""
    on = today + timedelta(days=1 + number % 27)
    return on if on.day <= 28 else on.replace(day=28)


def _status(number: int) -> Booking.Status:
    if number % 12 == 10:
        return Booking.Status.PENDING
    return Booking.Status.CANCELLED if number % 20 == 19 else Booking.Status.CONFIRMED


def sessions(
    packages: Sequence[ClassPackage], coaches: Sequence[Instructor], now: datetime
) -> list[ClassSession]:
    """Return the classes of the weeks around today, and one online in four hours."""
    today = business_date(now)
    made = [
        _session(offer, package, coach, make_aware(datetime.combine(day, offer.at)))
        for offer, package, coach in zip(OFFERS, packages, coaches, strict=True)
        for ahead in range(-DAYS_BEHIND, DAYS_AHEAD + 1)
        if (day := today + timedelta(days=ahead)).isoweekday() in offer.weekdays
    ]
    soon = (now + timedelta(hours=4)).replace(second=0, microsecond=0)
    made.append(_session(STRENGTH, packages[3], coaches[3], soon))
    for session in made:
        _close(session, now)
    called_off = next(each for each in made if each.status == ClassSession.Status.COMPLETED)
    called_off.status = ClassSession.Status.CANCELLED
    called_off.closed_because = "The track was under water."
    return made


def _session(
    offer: Offer, package: ClassPackage, coach: Instructor, starts_at: datetime
) -> ClassSession:
    return ClassSession(
        title=offer.name,
        package=package,
        instructor=coach,
        starts_at=starts_at,
        ends_at=starts_at + timedelta(hours=1),
        is_online=offer.is_online,
    )


def _close(session: ClassSession, now: datetime) -> None:
    """Let a class that is long over have taken place."""
    if session.starts_at < now - REGISTER_IS_DUE:
        session.status = ClassSession.Status.COMPLETED
        session.closed_by, session.closed_at = "seed_demo", session.ends_at


def enrolments(sessions: Sequence[ClassSession], booked: Sequence[Booking]) -> list[Enrolment]:
    """Return who has a place in which class, and who came to those that took place."""
    chance = random.Random(20_263)
    return [
        Enrolment(session=session, booking=booking, attendance=_attendance(session, chance))
        for session in sessions
        for booking in _bookings_of(session, booked)
    ]


def _bookings_of(session: ClassSession, booked: Sequence[Booking]) -> list[Booking]:
    confirmed = Booking.Status.CONFIRMED
    theirs = [
        each for each in booked if each.package == session.package and each.status == confirmed
    ]
    return theirs[:MOST_IN_A_CLASS]


def _attendance(session: ClassSession, chance: random.Random) -> Enrolment.Attendance:
    if session.status != ClassSession.Status.COMPLETED:
        return Enrolment.Attendance.EXPECTED
    came = chance.random() < CAME
    return Enrolment.Attendance.ATTENDED if came else Enrolment.Attendance.MISSED
