"""What can be wrong with queued messages, for the alerts; and staff told of alerts by e-mail."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.urls import reverse
from django.utils.text import capfirst

from egac import channels
from egac.figures import finished
from egac.mail import staff_addresses
from egac.metrics import MOST_COUNTED
from egac.moment import Moment
from egac.retry import Reason
from jobs.fixes import BY_CAUSE, RUN, Fix
from jobs.models import Alert
from jobs.sinks import Event, Notice, Sink
from jobs.watchers import Finding
from notifications.lanes import Bounds
from notifications.models import Notification
from notifications.passes import CHANNELS
from notifications.services import URGENT, Message, email_payload, enqueue
from notifications.staff import ASK_FOR_ONE, kinds_about

Status = Notification.Status

TOO_LONG = timedelta(minutes=15)  # a due message that waits longer: nobody sends, or too slowly
WORDS = {"email": "e-mail", "whatsapp": "WhatsApp message"}
IS_OPEN = "alert_is_open"  # a relevance check, by name
FAILED, TOO_OLD = "failed_notifications", "due_too_old"
FIXES = {
    FAILED: (
        BY_CAUSE,
        Fix(
            "Open the failed messages",
            "admin:notifications_notification_changelist",
            "notifications.view_notification",
            query="?status__exact=failed",
        ),
    ),
    TOO_OLD: (
        Fix("Send them now", *RUN, row="run_worker_queue"),
        Fix("Open the channel", "admin:egac_channel_change", "egac.view_channel"),
    ),
}


def watch_notifications(moment: Moment) -> Iterator[Finding]:
    """Find messages that failed, a missing worker, and messages that wait too long."""
    yield from _failed(moment)
    counts = {channel: _wait_too_long(channel, moment) for channel in CHANNELS}
    waiting = {channel: count for channel, count in counts.items() if count}
    if not (waiting or settings.WORKER_EXPECTED) or moment.once(kinds_about):
        yield from (_waiting(channel, count) for channel, count in waiting.items())
        return
    due = Notification.objects.due()[:MOST_COUNTED].count()
    yield Finding(
        cause="job:run_worker_queue",  # as when that job is late: told once
        sentence=f"No worker was seen for 5 minutes, and {_have(due, 'queued message')} come due.",
        next_step=f"{capfirst(ASK_FOR_ONE)}.",
        page=reverse("admin:notifications_worker_changelist"),
    )


def _failed(moment: Moment) -> Iterator[Finding]:
    ended, table = moment.once(finished), Notification._meta.db_table
    failed = sum(ended[table, channel, Status.FAILED] for channel in CHANNELS)
    rows = Notification.objects.filter(status=Status.FAILED, reason=Reason.UNCERTAIN)
    uncertain = rows[:MOST_COUNTED].count()
    if failed:
        rest = f"; of {uncertain} nobody knows whether they arrived" if uncertain else ""
        yield Finding(
            cause=FAILED,
            sentence=f"{_have(failed, 'queued message')} failed{rest}.",
            next_step="Open the failed ones: retry each, or cancel what shall not be sent.",
            page=reverse("admin:notifications_notification_changelist") + "?status__exact=failed",
        )


def _have(count: int, noun: str) -> str:
    more = " or more" if count == MOST_COUNTED else ""
    return f"1 {noun} has" if count == 1 else f"{count:,}{more} {noun}s have"


def _wait_too_long(channel: str, moment: Moment) -> int:
    """Return how many messages of a channel wait that nobody holds back on purpose."""
    lane = CHANNELS[channel][-1](Bounds(), len)
    is_on_purpose = lane.why_held() not in ("", lane.why_unconfigured())
    known = moment.once(channels.all_channels).get(channel)
    is_down = known is not None and known.probing  # and has an alert of its own
    if is_on_purpose or is_down:
        return 0
    queue = Notification.objects
    rows = queue.for_whatsapp() if channel == "whatsapp" else queue.for_email()
    since = moment.now - TOO_LONG
    long_due = Q(due_at=None) | Q(due_at__lt=since)
    # A message that staff retry has been due since then, however old it is.
    return rows.due().filter(long_due, updated_at__lt=since)[:MOST_COUNTED].count()


def _waiting(channel: str, count: int) -> Finding:
    lane = CHANNELS[channel][-1](Bounds(), len)
    why = lane.why_held() or channels.why_closed(channel) or "The worker does not keep up."
    return Finding(
        cause=f"{TOO_OLD}:{channel}",
        sentence=f"{_have(count, WORDS[channel])} been due for more than 15 minutes. {why}",
        next_step="Mend that, or resume the channel.",
        page=reverse("admin:notifications_notification_changelist") + "?status__exact=pending",
    )


def tell_staff(notice: Notice) -> None:
    """Queue an e-mail to each address of STAFF_ALERT_EMAILS, once a notice."""
    is_over = notice.event is Event.CLOSED
    context = {
        "headline": notice.headline,
        "details": notice.since,
        "next_step": "Nothing: it closed by itself." if is_over else notice.next_step,
        "admin_link": notice.link,
        "alert": str(notice.number),
    }
    day = f"/{notice.now:%Y-%m-%d}" if notice.event is Event.LASTING else ""
    enqueue(
        [
            Message(
                type="staff_alert",
                payload=email_payload("staff_alert", to=address, context=context),
                key=f"alert/{notice.number}/{notice.event}{day}/{address}",
                priority=URGENT,
                relevance="" if is_over else IS_OPEN,
            )
            for address in staff_addresses()
        ]
    )


def open_alerts(contexts: Sequence[Mapping[str, Any]]) -> set[str]:
    """Return the numbers of those of the contexts' alerts that are open."""
    numbers = {number for context in contexts if (number := str(context.get("alert"))).isdecimal()}
    return {
        str(pk) for pk in Alert.objects.open().filter(pk__in=numbers).values_list("pk", flat=True)
    }


def why_over(context: Mapping[str, Any], still_open: set[str]) -> str | None:
    """Return why an e-mail about an alert lost its point, or None while the alert is open."""
    is_open = str(context.get("alert")) in still_open
    return None if is_open else "The alert closed by itself before this was sent."


STAFF = Sink("e-mail", lambda: bool(staff_addresses() and settings.OPS_BASE_URL), tell_staff)
