"""Who has a place in a class session."""

from collections.abc import Sequence

from django.db import transaction
from django.db.models import ProtectedError, QuerySet

from bookings.booking import Refused
from bookings.joining import tell_joiners
from bookings.models import Booking, ClassSession, Enrolment
from egac.staff import Changed, Seen, change


def enrol(
    booking_ids: Sequence[int], *, session: ClassSession, actor: str, seen: Seen | None = None
) -> Changed:
    """Give confirmed bookings a place in a session, each once, and the join link if it has one.

    Raises Refused where the session is cancelled.
    """
    with transaction.atomic():
        locked = ClassSession.objects.select_for_update().get(pk=session.pk)
        if locked.status == ClassSession.Status.CANCELLED:
            raise Refused(f"{locked} is cancelled, so nobody can be enrolled in it.")
        there = set(locked.enrolments.values_list("booking_id", flat=True))

        def give_places(chosen: QuerySet[Booking]) -> int:
            places = [Enrolment(session=locked, booking=each, changed_by=actor) for each in chosen]
            return len(Enrolment.objects.bulk_create(places))

        changed = change(
            Booking.objects.all(),
            ids=booking_ids,
            why_not=lambda each: "enrolled already" if each.pk in there else why_not_enrolled(each),
            act=give_places,
            seen=seen,
        )
        if changed.changed and locked.join_link:
            tell_joiners(locked)
    return changed


def take_places_back(ids: Sequence[int], *, seen: Seen | None = None) -> Changed:
    """Take back places that were given by mistake.

    Raises Refused where one stands on an invoice, cancelled or not: then none is taken back.
    """
    try:
        return change(
            Enrolment.objects.all(),
            ids=ids,
            why_not=why_not_taken_back,
            act=lambda chosen: chosen.delete()[0],
            seen=seen,
        )
    except ProtectedError as error:
        raise Refused(
            f"{len(error.protected_objects)} of them stand on an invoice, which keeps them: "
            "choose the others."
        ) from error


def why_not_taken_back(place: Enrolment) -> str:
    """Return why this place stays, or "": who was marked stays on the register."""
    return "" if place.attendance == Enrolment.Attendance.EXPECTED else "marked already"


def why_not_enrolled(booking: Booking) -> str:
    """Return why this booking cannot have a place in a session, or ""."""
    if booking.status != Booking.Status.CONFIRMED:
        return "not confirmed"
    return "locked" if booking.access_status == Booking.Access.LOCKED else ""
