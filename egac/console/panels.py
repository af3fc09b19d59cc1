"""The dashboard's panels of the ground: what was sent and failed, and how the channels stand."""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.urls import reverse
from django.utils.timezone import localtime

from egac.channels import Channel, all_channels, explain
from egac.console.columns import Columns, Point, columns_of
from egac.console.dashboard import Look, Panel
from egac.console.rates import calls_a_second
from egac.console.records import badge
from egac.days import business_date
from egac.figures import attempts_of_days, attempts_of_hours
from egac.models import MessageAudit

HOURS, DAYS = 24, 30
EVERY_FEW = 8  # columns: so many share one tick
TITLES = {"email": "E-mail", "whatsapp": "WhatsApp"}
SENT = MessageAudit.Outcome.ACCEPTED
HOUR = timedelta(hours=1)


def attempts_panel(look: Look) -> dict[str, Any]:
    """Return what was sent and failed on each channel, by hours and by days."""
    this_hour = look.now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    hours = [this_hour - HOUR * back for back in reversed(range(HOURS))]
    days = [business_date(look.now) - timedelta(days=back) for back in reversed(range(DAYS))]
    by_hour = attempts_of_hours(since=hours[0])
    by_day = attempts_of_days(since=days[0])
    return {
        "channels": [
            (
                channel,
                hourly(hours, by_hour, channel, f"{title}, the last {HOURS} hours"),
                daily(days, by_day, channel, f"{title}, the last {DAYS} days"),
            )
            for channel, title in TITLES.items()
        ]
    }


def hourly(
    hours: Iterable[datetime], counts: Counter[tuple[Any, str, str]], channel: str, title: str
) -> Columns:
    """Draw the tries of each hour on a channel."""
    points = [
        _point(
            counts,
            (hour, channel),
            label=_clock(hour),
            tick=_clock(hour) if localtime(hour).hour % EVERY_FEW == 0 else "",
        )
        for hour in hours
    ]
    return columns_of(points, title=title)


def _clock(hour: datetime) -> str:
    return f"{localtime(hour):%H:%M %Z}"


def daily(
    days: Iterable[date], counts: Counter[tuple[Any, str, str]], channel: str, title: str
) -> Columns:
    """Draw the tries of each day on a channel."""
    points = [
        _point(
            counts,
            (day, channel),
            label=f"{day:%-d %B}",
            tick=f"{day:%-d %b}" if day.weekday() == 0 else "",
        )
        for day in days
    ]
    return columns_of(points, title=title)


def _point(
    counts: Counter[tuple[Any, str, str]], of: tuple[Any, str], *, label: str, tick: str
) -> Point:
    tries = {outcome: counts[*of, str(outcome)] for outcome in MessageAudit.Outcome}
    sent = tries.pop(SENT)
    return Point(label, sent, sum(tries.values()), tick)


def channels_panel(look: Look) -> dict[str, Any]:
    """Return how each channel stands."""
    return {"channels": [_channel(each, look.now) for each in look.once(all_channels).values()]}


def _channel(channel: Channel, now: datetime) -> dict[str, Any]:
    is_held = channel.held_until is not None and channel.held_until > now
    is_closed = bool(channel.paused_at) or is_held
    if channel.paused_at:
        state = badge("paused", "off")
    else:
        state = badge("closed", "bad") if is_closed else badge("open", "good")
    return {
        "name": channel.name,
        "title": TITLES.get(channel.name, channel.name.capitalize()),
        "url": reverse("admin:egac_channel_change", args=[channel.name]),
        "state": state,
        "sentence": explain(channel) if is_closed else f"At most {calls_a_second(channel.rate)}.",
    }


PANELS = (
    Panel(
        name="attempts",
        title="Sent and failed",
        permission="egac.view_messageaudit",
        template="admin/dashboard/attempts.html",
        context=attempts_panel,
        place=40,
        list_page="admin:egac_messageaudit_changelist",
    ),
    Panel(
        name="channels",
        title="Channels",
        permission="egac.view_channel",
        template="admin/dashboard/channels.html",
        context=channels_panel,
        place=32,
        list_page="admin:egac_channel_changelist",
    ),
)
