"""What a billing run decides about one booking, and what keeps a booking from being billed."""

from dataclasses import dataclass, field
from datetime import date

from billing.amounts import MOST
from billing.drafts import Draft
from billing.periods import Period
from billing.reach import channels_to
from bookings.models import Booking

NO_PRICE = "It has no price. Write one into the booking."
NO_PACKAGE = "Its package was deleted. Choose another one in the booking."
UNREACHABLE = (
    "Its customer has no usable e-mail address and no number that agreed to WhatsApp, so an "
    "invoice would reach nobody. Add an address."
)
TOO_MUCH = f"It would ask for more than {MOST:,}. Correct the price."


@dataclass(frozen=True)
class Verdict:
    """What a run does about one booking: of what it cannot bill it says why.

    `skipped` says why something is not billed although nothing is wrong; `billed_through_on` is
    the day that the booking is billed through afterwards, where that moves.
    """

    booking: Booking
    drafts: tuple[Draft, ...] = ()
    waived: tuple[Period, ...] = ()
    skipped: tuple[str, ...] = field(default=())
    problem: str = ""
    billed_through_on: date | None = None


def faults_of(booking: Booking) -> list[str]:
    """Return what is missing of a booking that is to be billed, a sentence each.

    Who cannot be reached is not billed but reported: the invoice would become overdue, and lock a
    customer who never heard of it. What is owed is billed as soon as there is an address.
    """
    faults = []
    if booking.price is None:
        faults.append(NO_PRICE)
    if booking.package_id is None:
        faults.append(NO_PACKAGE)
    if not channels_to(booking.customer):
        faults.append(UNREACHABLE)
    return faults
