"""What is known of somebody's suppressed addresses: by whom and why, and who lifted one."""

from collections.abc import Iterable
from datetime import datetime
from functools import reduce
from operator import or_

from django.contrib.admin.models import ADDITION, DELETION, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Q, QuerySet
from django.db.models.functions import Lower
from django.urls import reverse
from django.utils.http import urlencode

from egac.console.correspondence import latest
from egac.console.pages import MOST_EVENTS, Event
from egac.delivery import Suppression
from egac.people import Identity, Told

BY_STAFF = {
    ADDITION: ("suppressed the address", "bad"),
    DELETION: ("let the address be written to again", "good"),
}


def suppressions_of(person: Identity, now: datetime) -> Told:
    """Tell which of their addresses must not be written to, and what staff did about that."""
    if not person.addresses:
        return Told([])
    rows = Suppression.objects.alias(lower=Lower("address")).filter(lower__in=person.addresses)
    shown, left_out = latest(rows.order_by("-created_at"))
    entries = list(_entries_about(person.addresses)[:MOST_EVENTS])
    added = {entry.object_id for entry in entries if entry.action_flag == ADDITION}
    told = [_told_by_provider(row) for row in shown if str(row.pk) not in added]
    return Told([*told, *map(_done_by_staff, entries)], left_out)


def _entries_about(addresses: Iterable[str]) -> QuerySet[LogEntry]:
    """Return who added or lifted a suppression of these addresses: a lifted one has no row."""
    named = reduce(or_, (Q(object_repr__istartswith=f"{each}: ") for each in addresses))
    kind = ContentType.objects.get_for_model(Suppression)
    entries = LogEntry.objects.filter(named, content_type=kind, action_flag__in=BY_STAFF)
    return entries.select_related("user").order_by("-action_time")


def _told_by_provider(row: Suppression) -> Event:
    what = "Address suppressed: nothing is sent to it any more"
    return Event(row.created_at, what, "bad", str(row), _page(row.address))


def _done_by_staff(entry: LogEntry) -> Event:
    words, tone = BY_STAFF[entry.action_flag]
    address = entry.object_repr.partition(": ")[0]
    what = f"{entry.user.get_username()}: {words}"
    detail = f"{entry.object_repr.rstrip('.')}. {entry.get_change_message()}"
    return Event(entry.action_time, what, tone, detail, _page(address))


def _page(address: str) -> str:
    return f"{reverse('admin:egac_suppression_changelist')}?{urlencode({'q': address})}"
