"""What invites know of somebody: what they asked, how they were invited, and whether it arrived."""

from collections.abc import Iterator
from datetime import datetime

from django.urls import reverse

from egac.console.correspondence import Message, latest, standings, what_became_of
from egac.console.pages import Event, staff_actions_on_all
from egac.people import Identity, Told
from invites.models import Enquiry, Invite

Status = Invite.Status
TABLE = Invite._meta.db_table
ENDED_UNSENT = {Status.FAILED: "failed", Status.CANCELLED: "not sent"}


def enquiries_of(person: Identity, now: datetime) -> Told:
    """Tell when they asked, and about what."""
    keys = person.keys("enquiry")
    enquiries = Enquiry.objects.filter(pk__in=keys)
    events = [_asked(enquiry) for enquiry in enquiries]
    return Told([*events, *staff_actions_on_all(Enquiry, keys)])


def _asked(enquiry: Enquiry) -> Event:
    url = reverse("admin:invites_enquiry_change", args=[enquiry.pk])
    about = f" about {enquiry.interest}" if enquiry.interest else ""
    return Event(enquiry.created_at, f"Enquired{about}", "off", enquiry.source or "", url)


def invites_of(person: Identity, now: datetime) -> Told:
    """Tell every invite to them, with its attempts and what became of it."""
    theirs = Invite.objects.filter(enquiry__in=person.keys("enquiry"))
    theirs = theirs.select_related("enquiry").defer("rendered", "preview")
    rows, left_out = latest(theirs.order_by("-created_at"))
    told = standings(rows, now)
    events = [event for row in rows for event in _states(row, told[row.pk])]
    messages = {str(row.pk): Message("Invite", _page(row)) for row in rows}
    events += [*what_became_of(TABLE, messages), *staff_actions_on_all(Invite, messages)]
    return Told(events, left_out)


def _states(row: Invite, standing: str) -> Iterator[Event]:
    """Tell that an invite was made, and where it stands unless it was sent."""
    has_ended = row.status in (Status.SENT, *ENDED_UNSENT)
    why_not_yet = "" if has_ended else standing
    yield Event(row.created_at, "Invite: created", "off", why_not_yet, _page(row))
    if row.accepted_at:
        yield Event(row.accepted_at, "Invite: accepted by the person", "best", url=_page(row))
    elif row.status in ENDED_UNSENT:
        what = f"Invite: {ENDED_UNSENT[Status(row.status)]}"
        yield Event(row.updated_at, what, "bad", standing, _page(row))


def _page(row: Invite) -> str:
    return reverse("admin:invites_invite_change", args=[row.pk])
