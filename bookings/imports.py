"""Bring customers, packages and bookings of another system in: the good lines together or none.

A booking is known by its reference, so the same file may be imported again. What is there already
stays as it is: staff may have corrected it since.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q
from django.db.models.functions import Lower

from bookings.booking import note_event
from bookings.booking_csv import (
    CleanBooking,
    Cleaned,
    Person,
    Reading,
    clean_bookings,
    read_bookings,
    refuse_repeated,
)
from bookings.models import Booking, BookingEvent, ClassPackage, Customer
from egac.csv_files import RefusedLine
from egac.days import start_of

BATCH = 1000
IMPORT_LOCK = 0x424F4F4B  # "BOOK": every import of bookings takes it, nothing else does

Key = tuple[str, str]


@dataclass
class Known:
    """What stands in the database of what a file names, and what its lines add."""

    references: set[str | None]  # of bookings
    by_reference: dict[str, Customer]
    by_key: dict[Key, Customer]
    packages: dict[str, ClassPackage]  # by name in lower case
    new_customers: list[Customer] = field(default_factory=list)
    new_packages: list[ClassPackage] = field(default_factory=list)


@dataclass(frozen=True)
class Judged:
    """What is to be made of a file."""

    bookings: list[Booking]
    known: Known
    already_there: list[int]  # lines
    refused: list[RefusedLine]


def import_bookings(content: bytes, *, today: date, actor: str) -> dict[str, Any]:
    """Save what is new in a CSV file and return the report of every line; raise UnusableFile."""
    records = read_bookings(content)
    with transaction.atomic():
        _wait_for_other_imports()
        judged = _judge(clean_bookings(records, _reading(today)))
        ClassPackage.objects.bulk_create(judged.known.new_packages, batch_size=BATCH)
        Customer.objects.bulk_create(judged.known.new_customers, batch_size=BATCH)
        made = Booking.objects.bulk_create(judged.bookings, batch_size=BATCH)
        note_event([each.pk for each in made], kind=BookingEvent.Kind.ADOPTED, actor=actor)
    return _report(judged)


def preview_bookings(content: bytes, *, today: date) -> dict[str, Any]:
    """Return the report that an import would give now, and save nothing; raise UnusableFile."""
    return _report(_judge(clean_bookings(read_bookings(content), _reading(today))))


def _reading(today: date) -> Reading:
    return Reading(today, settings.BILLING_CURRENCY, settings.PHONE_REGION)


def _wait_for_other_imports() -> None:
    """Let imports go one after the other, so that each sees what those before it saved."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [IMPORT_LOCK])


def _judge(cleaned: Iterable[Cleaned]) -> Judged:
    """Return what each line becomes: a new booking, one that is there, or a refusal."""
    lines = list(refuse_repeated(cleaned))
    known = _known_to([each for each in lines if isinstance(each, CleanBooking)])
    judged = Judged([], known, [], [])
    for each in lines:
        if isinstance(each, RefusedLine):
            judged.refused.append(each)
        elif each.reference in known.references:
            judged.already_there.append(each.line)
        elif why := _why_not_theirs(each.person, known):
            judged.refused.append(RefusedLine(each.line, why))
        else:
            judged.bookings.append(_booking(each, known))
    return judged


def _known_to(cleaned: Sequence[CleanBooking]) -> Known:
    """Return what the database has of what these lines name: one query a table."""
    people = [each.person for each in cleaned]
    references = {each.reference for each in cleaned}
    customers = Customer.objects.alias(lowered=Lower("email")).filter(
        Q(reference__in={each.reference for each in people if each.reference})
        | Q(lowered__in={each.email for each in people if each.email})
        | Q(email="", name__in={each.name for each in people if not each.email})
    )
    there = list(customers.order_by("-pk"))
    packages = ClassPackage.objects.all()
    bookings = Booking.objects.filter(reference__in=references)
    return Known(
        references=set(bookings.values_list("reference", flat=True)),
        by_reference={each.reference: each for each in there if each.reference},
        by_key={_key(each.name, each.email): each for each in there},
        packages={each.name.casefold(): each for each in packages},
    )


def _key(name: str, email: str) -> Key:
    """Return by what a customer is known where no reference is given."""
    return " ".join(name.casefold().split()), email.strip().lower()


def _why_not_theirs(person: Person, known: Known) -> str:
    """Return why a reference of a customer cannot be this person's, or ""."""
    customer = known.by_reference.get(person.reference or "")
    if customer is None or _key(customer.name, "") == _key(person.name, ""):
        return ""
    return (
        f"Its customer_reference {person.reference} is {customer.name}'s already, and here it is "
        f"{person.name}'s."
    )


def _booking(clean: CleanBooking, known: Known) -> Booking:
    return Booking(
        customer=_customer(clean.person, clean.note, known),
        package=_package(clean, known),
        plan=clean.plan,
        status=Booking.Status.CONFIRMED,
        weekdays=list(clean.weekdays),
        starts_at_time=clean.starts_at_time,
        billing_anchor_on=clean.billing_anchor_on,
        price=clean.price,
        currency=clean.currency,
        billed_through_on=clean.billed_through_on,
        reference=clean.reference,
    )


def _customer(person: Person, note: str, known: Known) -> Customer:
    """Return the customer of a line: one that is there, or a new one."""
    key = _key(person.name, person.email)
    found = known.by_reference.get(person.reference or "")
    if found is None and (same := known.by_key.get(key)) and not _is_another(same, person):
        found = same
    if found is not None:
        return found
    opted_in_on = person.whatsapp_opted_in_on
    new = Customer(
        name=person.name,
        email=person.email,
        phone=person.phone,
        whatsapp_opted_in_at=start_of(opted_in_on) if opted_in_on else None,
        address=person.address,
        note=note,
        reference=person.reference,
    )
    known.new_customers.append(new)
    known.by_key[key] = new
    if person.reference:
        known.by_reference[person.reference] = new
    return new


def _is_another(customer: Customer, person: Person) -> bool:
    """Whether two of one name and address are told apart by their references."""
    references = {customer.reference, person.reference} - {None}
    return len(references) > 1


def _package(clean: CleanBooking, known: Known) -> ClassPackage:
    """Return the package of a line; a new one has the terms of the first line that names it."""
    name = clean.package.casefold()
    if name not in known.packages:
        known.packages[name] = ClassPackage(
            name=clean.package, plan=clean.plan, price=clean.price, currency=clean.currency
        )
        known.new_packages.append(known.packages[name])
    return known.packages[name]


def _report(judged: Judged) -> dict[str, Any]:
    """Return the counts, the lines that were there already, and each refused line's reason."""
    refused = sorted(judged.refused, key=lambda each: each.line)
    return {
        "new": len(judged.bookings),
        "new_customers": len(judged.known.new_customers),
        "new_packages": len(judged.known.new_packages),
        "already_there": len(judged.already_there),
        "refused": len(refused),
        "already_there_lines": judged.already_there,
        "refused_lines": [{"line": each.line, "reason": each.reason} for each in refused],
    }
