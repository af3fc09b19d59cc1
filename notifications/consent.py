"""Whether a number may be written to by WhatsApp (domain.md §3): who knows its owner is asked.

An app that keeps people registers its look-up. A number of somebody who did not agree is refused;
one that nobody knows, of another program's row, is sent, and the audit says so.
"""

from collections.abc import Callable

from egac.outbox import Unsendable

# Given numbers in E.164; returns for those it knows whether their owner agreed.
LookUp = Callable[[set[str]], dict[str, bool]]

LOOK_UPS: list[LookUp] = []

REFUSED = "{number} is not written to: its owner is a customer who did not agree to WhatsApp."
UNKNOWN = "The number is of no customer, so nobody could say whether its owner agreed."


def register(look_up: LookUp) -> None:
    """Let an app answer for the numbers of its people; it is asked once for many numbers."""
    LOOK_UPS.append(look_up)


def agreed_among(numbers: set[str]) -> dict[str, bool]:
    """Return for each number in E.164 that somebody knows whether its owner agreed."""
    known: dict[str, bool] = {}
    for look_up in LOOK_UPS if numbers else []:
        known |= look_up(numbers)
    return known


def require(numbers: set[str]) -> None:
    """Raise Unsendable where the owner of one of the numbers in E.164 did not agree."""
    for number, agreed in agreed_among(numbers).items():
        if not agreed:
            raise Unsendable(f"{REFUSED.format(number=number)} Ask them, and note it there first.")
