"""Everything that happened with a customer, told by every app that knows of them, in one list."""

from collections.abc import Callable, Iterable

from bookings.models import Customer
from egac.admin_pages import Event

MOST_EVENTS = 200  # that one source tells, the latest ones

Source = Callable[[Customer], Iterable[Event]]

SOURCES: list[Source] = []


def add_to_timeline(source: Source) -> None:
    """Let an app tell what it knows of a customer: up to MOST_EVENTS events, in any order.

    An app calls it once, from its AppConfig.ready.
    """
    SOURCES.append(source)


def timeline_of(customer: Customer) -> list[Event]:
    """Return what all sources tell of a customer, the latest first."""
    events = [event for tell in SOURCES for event in tell(customer)]
    return sorted(events, key=lambda event: event.at, reverse=True)
