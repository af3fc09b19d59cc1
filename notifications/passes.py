"""One bounded pass over the queue, as cron and the HTTP trigger start it."""

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import close_old_connections, connection

from egac.canary import settle_canaries
from egac.preview import preview_due
from egac.providers import NotConfigured
from egac.record import Record
from notifications.heartbeat import Heartbeat
from notifications.lanes import Bounds, EmailBatches, EmailRows, Lane, WhatsAppRows
from notifications.models import Notification, NotificationQuerySet, Worker

CHANNELS: dict[str, tuple[type[Lane], ...]] = {
    "email": (EmailBatches, EmailRows),
    "whatsapp": (WhatsAppRows,),
}
PASS_LIMIT = 100  # messages of a pass, where nobody says otherwise
DRY_RUN = "Dry run: nothing was sent."


@dataclass(frozen=True)
class Done:
    """What a pass did on one channel: a line for each message, and why others wait."""

    lines: list[dict[str, Any]]
    notes: set[str]


def run_pass(
    *,
    limit: int,
    seconds: float,
    channels: Sequence[str] = tuple(CHANNELS),
    dry_run: bool = False,
    stop: threading.Event | None = None,
) -> dict[str, Any]:
    """Send up to `limit` messages, each call begun within `seconds`. See `pass_within`."""
    bounds = Bounds(limit, time.monotonic() + seconds, stop or threading.Event())
    return pass_within(bounds, channels=channels, dry_run=dry_run)


def pass_within(
    bounds: Bounds, *, channels: Sequence[str] = tuple(CHANNELS), dry_run: bool = False
) -> dict[str, Any]:
    """Send the due messages of the channels, side by side; return what became of each.

    With `dry_run`, or that of a channel's setting, nothing is sent: what each message would be is
    kept to be looked at. Raises NotConfigured where no channel is configured.
    """
    if not dry_run:
        settle_canaries(Notification)  # first: what it releases is to be shared out too
    shares = _shares(bounds.limit or 0, channels)
    dry = [name for name in channels if dry_run or CHANNELS[name][0](Bounds(), len).is_dry_run()]
    if not dry:
        _require_one(channels)
    with ThreadPoolExecutor(len(channels)) as pool:
        tasks = [
            pool.submit(copy_context().run, _preview, name, shares[name])
            if name in dry
            else pool.submit(
                copy_context().run, _run_channel, name, replace(bounds, limit=shares[name])
            )
            for name in channels
        ]
        done = [task.result() for task in tasks]
    lines = [line for each in done for line in each.lines]
    close_old_connections()  # this thread's: the database may have gone away meanwhile
    _leave_a_sign(len(lines))
    return {
        "ok": True,
        "processed": len(lines),
        "results": lines,
        "left": Notification.objects.due().count(),
        "notes": sorted({note for each in done for note in each.notes}),
    }


def _leave_a_sign(recorded: int) -> None:
    """Let a cron pass count as a heartbeat."""
    heartbeat = Heartbeat(Worker.Kind.PASS)
    heartbeat.recorded = recorded
    heartbeat.end()


def _require_one(channels: Sequence[str]) -> None:
    """Raise NotConfigured where no chosen channel has its settings."""
    missing = [CHANNELS[channel][-1](Bounds(), len).why_unconfigured() for channel in channels]
    if all(missing):
        raise NotConfigured(" ".join(missing))


def _shares(limit: int, channels: Sequence[str]) -> dict[str, int]:
    """Return how many messages each channel may send."""
    if len(channels) == 1:
        return {channels[0]: limit}
    queue = Notification.objects
    for_whatsapp = _share_of_second(
        limit, _in_hand(queue.for_email(), limit), _in_hand(queue.for_whatsapp(), limit)
    )
    return {"email": limit - for_whatsapp, "whatsapp": for_whatsapp}


def _share_of_second(limit: int, first: int, second: int) -> int:
    """Split the limit so that neither of two starves the other, and none of it is wasted."""
    return min(second, max(limit // 2, limit - first))


def _in_hand(rows: NotificationQuerySet, limit: int) -> int:
    """Return how many of the rows a pass would take, up to the limit: orphans become due in it."""
    lease = timedelta(seconds=settings.WORKER_LEASE_SECONDS)
    return rows.due()[:limit].count() + rows.orphans(lease)[:limit].count()


def _run_channel(channel: str, bounds: Bounds) -> Done:
    """Run a channel's lanes one after the other, in a thread of the pass."""
    recorded: list[Record] = []
    notes = set()
    limit = bounds.limit or 0
    try:
        for lane, kept in _turns(channel, limit):
            called = sum(each.audit is not None for each in recorded)
            bounds.limit = max(0, limit - called - kept)
            notes.add(lane(bounds, recorded.extend).persevere())
    finally:
        connection.close()
    return Done([_line(each) for each in recorded], notes - {""})


def _turns(channel: str, limit: int) -> list[tuple[type[Lane], int]]:
    """Return a channel's lanes in their order, and how much of the limit each leaves to others.

    What e-mails that go alone did not need after all, ending without a call, goes to batches.
    """
    kept = _share_of_single_emails(limit) if channel == "email" else 0
    if not kept:
        return [(lane, 0) for lane in CHANNELS[channel]]
    return [(EmailBatches, kept), (EmailRows, 0), (EmailBatches, 0)]


def _share_of_single_emails(limit: int) -> int:
    """Return how many e-mails of a pass go alone, whatever waits for a batch."""
    emails = Notification.objects.for_email()
    alone = _in_hand(emails.not_freshly_due(), limit)
    return _share_of_second(limit, emails.freshly_due()[:limit].count(), alone)


def _preview(channel: str, limit: int) -> Done:
    queue = Notification.objects
    rows = queue.for_whatsapp() if channel == "whatsapp" else queue.for_email()
    try:
        previews = list(preview_due(rows, limit=limit))
    finally:
        connection.close()
    lines = [
        {"id": row.pk, "ok": False, "error": error} if error else {"id": row.pk, "ok": True}
        for row, error in previews
    ]
    return Done([{**line, "dryRun": True} for line in lines], {DRY_RUN})


def _line(record: Record) -> dict[str, Any]:
    line = {"id": record.row.pk, "ok": record.is_sent}
    if record.is_sent:
        return line
    error = str(record.error) if record.error else "Given back: it goes with the next run."
    return {**line, "error": error, "status": str(record.status)}
