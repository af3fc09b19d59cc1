"""The dashboard's panel of invites: how many stand where, and when the due ones are gone."""

from datetime import datetime
from typing import Any

from egac.channels import Channel, all_channels, explain
from egac.console.dashboard import Look, Panel, register_panel
from egac.console.forecast import Due, Passes, forecast
from egac.console.quota import quota_of_emails
from egac.console.rows import Flow, as_sentence, open_rows, opens_at, states_of, why_paused
from egac.figures import finished
from egac.switches import why_held
from invites import sending
from invites.admin_enquiries import TONES
from invites.models import Invite
from invites.services import PASS_SECONDS
from jobs.schedule import next_run


def invites_panel(look: Look) -> dict[str, Any]:
    """Return how many invites stand where, and when the due ones are gone."""
    ended = look.once(finished)
    waiting = open_rows(Invite.objects.all())
    counts = {word: ended[Invite._meta.db_table, "email", word] for word in Invite.Status.values}
    counts |= {"pending": waiting.pending, "processing": waiting.processing}
    flow = Flow(
        title="",
        states=states_of(counts, Invite, tones=TONES),
        later=waiting.later_in_words,
        oldest=waiting.oldest_in_words(look.now),
        forecast=forecast(_due(look), now=look.now),
    )
    return {"flows": [flow]}


def _due(look: Look) -> Due:
    now = look.now
    channel = look.once(all_channels).get("email") or Channel(name="email")
    due = Invite.objects.due().count()
    return Due(
        messages=due,
        calls=due,
        rate=channel.rate,
        held=why_held("email") or why_paused(channel) or as_sentence(sending.why_no_run(now)),
        closed=explain(channel) if opens_at(channel, now) else "",
        opens_at=opens_at(channel, now),
        passes=_passes(channel.rate, now),
        quota=quota_of_emails(look, asked_by=Invite._meta.db_table),
        noun="invite",
    )


def _passes(rate: float, now: datetime) -> Passes:
    schedule = sending.JOB.schedule
    first_at = next_run(schedule, now)
    every = next_run(schedule, first_at) - first_at
    return Passes(first_at, every=every, messages=max(1, int(rate * PASS_SECONDS)))


PANEL = Panel(
    name="invites",
    title="Invites",
    permission="invites.view_invite",
    template="admin/dashboard/flows.html",
    context=invites_panel,
    place=20,
    list_page="admin:invites_invite_changelist",
)

register_panel(PANEL)
