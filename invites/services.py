"""The verbs of invites: send what is due, send one, retry, cancel, send again, count."""

import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Q

from egac.canary import settle_canaries
from egac.drain import Drain
from egac.outbox import Unsendable
from egac.preview import preview_due
from egac.providers.resend import EMAIL, require_configured
from egac.record import Record
from egac.staff import CHANGED_MEANWHILE as CHANGED_MEANWHILE
from egac.staff import Changed as Changed
from egac.staff import Seen as Seen
from egac.staff import change
from invites import demo
from invites.models import Enquiry, Invite, InviteQuerySet

PASS_SECONDS = 600.0
HELD = "Sending is switched off (SENDING=off): nothing was sent."


class Refused(Exception):
    """A verb that cannot be done to this invite; the message says why and what to do."""


def retry_invites(
    ids: Sequence[UUID] | None = None,
    *,
    limit: int | None = None,
    seconds: float = PASS_SECONDS,
    dry_run: bool = False,
    stop: threading.Event | None = None,
) -> dict[str, Any]:
    """Send the due invites and return what became of each.

    `ids` narrows the pass, `limit` bounds its rows, `seconds` bounds when a call may begin. With
    `dry_run`, or RESEND_DRY_RUN, nothing is sent and no attempt counts: the rendered messages
    are kept to be looked at. When `stop` is set, what is in flight is finished and the rest given
    back. Raises NotConfigured where Resend is not.
    """
    if not dry_run:
        settle_canaries(Invite)  # held or not: nobody waits under a canary for ever
    rows = Invite.objects.all() if ids is None else Invite.objects.filter(pk__in=ids)
    if not settings.SENDING:
        return _result([], left=rows.due().count(), note=HELD)
    if dry_run or settings.RESEND_DRY_RUN:
        return preview_invites(rows, limit=limit)
    require_configured()
    recorded: list[Record] = []
    drain = Drain(
        rows,
        EMAIL,
        limit=limit,
        until=time.monotonic() + seconds,
        concurrency=settings.WORKER_CONCURRENCY,
        on_records=recorded.extend,
        stop=stop or threading.Event(),
    )
    note = drain.run() if ids is None else _send_chosen(rows, drain)
    return _result([_line(each) for each in recorded], left=rows.due().count(), note=note)


def _send_chosen(rows: InviteQuerySet, drain: Drain) -> str:
    """Send invites that a person chose; return why the channel is closed, or ""."""
    _let_others_look(rows)
    note = drain.run()
    if not note and rows.due().exists():  # somebody looked just before the claim, which skipped it
        _let_others_look(rows)
        note = drain.run()
    return note


def _let_others_look(rows: InviteQuerySet) -> None:
    # A claim skips a locked row, and who presses at the same time locks it to see that it has
    # changed: without this wait neither press would send it.
    with transaction.atomic():
        list(rows.order_by("pk").values_list("pk").select_for_update())


def preview_invites(rows: InviteQuerySet, *, limit: int | None) -> dict[str, Any]:
    """Render the due invites, keep what each would send, send nothing."""
    lines = [_preview_line(*previewed) for previewed in preview_due(rows, limit=limit)]
    return _result(lines, left=rows.due().count(), note="Dry run: nothing was sent.")


def _preview_line(invite: Invite, error: str) -> dict[str, Any]:
    line = {"invite_id": str(invite.pk), "ok": not error}
    return {**line, "error": error} if error else {**line, "resend_id": None, "dryRun": True}


def _result(lines: list[dict[str, Any]], *, left: int, note: str) -> dict[str, Any]:
    return {"ok": True, "processed": len(lines), "results": lines, "left": left, "note": note}


def _line(record: Record) -> dict[str, Any]:
    line = {"invite_id": str(record.row.pk), "ok": record.is_sent}
    if record.is_sent:
        return {**line, "resend_id": record.provider_message_id, "dryRun": False}
    error = str(record.error) if record.error else "Given back: it goes with the next run."
    return {**line, "error": error, "status": str(record.status)}


def invite_stats() -> dict[str, int]:
    """Return how many invites stand where; domain.md says what each word includes."""
    status = Invite.Status
    return Invite.objects.aggregate(
        pending=Count("pk", filter=Q(status__in=[status.PENDING, status.PROCESSING])),
        failed=Count("pk", filter=Q(status=status.FAILED)),
        sent=Count("pk", filter=Q(status=status.SENT)),
        accepted=Count("pk", filter=Q(status=status.ACCEPTED)),
        processing=Count("pk", filter=Q(status=status.PROCESSING)),
        cancelled=Count("pk", filter=Q(status=status.CANCELLED)),
    )


def what_would_go(invite: Invite) -> dict[str, Any]:
    """Return the message that a send of this invite would carry now; raise Refused."""
    try:
        return invite.render()
    except Unsendable as error:
        raise Refused(str(error)) from error


def send_one(invite: Invite, *, again: bool = False) -> dict[str, Any]:
    """Send one invite now and return its line; raise Refused where it must not be sent."""
    require_ready(invite, again=again)
    this = Invite.objects.filter(pk=invite.pk)
    if again:
        this.send_again()
    this.make_due()
    this.requeue()
    return send_due(invite)


def send_due(invite: Invite) -> dict[str, Any]:
    """Send one invite that is due and return its line; raise Refused where a run is at it."""
    result = retry_invites([invite.pk], limit=1, seconds=settings.PROVIDER_TIMEOUT_SECONDS)
    if not result["results"]:
        raise Refused(result["note"] or "Another run is sending it right now.")
    return result["results"][0]


def refuse_unless_sendable(invite: Invite, *, again: bool) -> None:
    """Raise Refused where one controlled send of this invite must not happen."""
    if settings.RESEND_DRY_RUN or not settings.SENDING:
        raise Refused("Sending is off (RESEND_DRY_RUN or SENDING). Unset it, then send.")
    if invite.status == invite.Status.ACCEPTED or invite.accepted_at:
        raise Refused("It was accepted already, so it is not sent again.")
    if invite.status == invite.Status.PROCESSING:
        raise Refused("A run is sending it right now. Look again in a minute.")
    if invite.status == invite.Status.SENT and not again:
        raise Refused("It was sent already. Add --again to send it once more.")


def require_ready(invite: Invite, *, again: bool) -> None:
    """Raise Refused where this invite must not or cannot be sent, or NotConfigured."""
    refuse_unless_sendable(invite, again=again)
    what_would_go(invite)
    require_configured()


RETRIED = frozenset({Invite.Status.PENDING, Invite.Status.FAILED, Invite.Status.CANCELLED})
SENT_AGAIN = frozenset({Invite.Status.SENT})
TAKEN_BACK = frozenset({Invite.Status.PENDING, Invite.Status.FAILED})
WHY_SKIPPED = {
    Invite.Status.PENDING: "waiting to be sent",
    Invite.Status.PROCESSING: "being sent right now",
    Invite.Status.SENT: "sent already",
    Invite.Status.ACCEPTED: "accepted already",
    Invite.Status.FAILED: "failed",
    Invite.Status.CANCELLED: "cancelled already",
}


def retry_now(ids: Sequence[UUID], *, seen: Seen | None = None) -> Changed:
    """Make failed and cancelled invites new again, and waiting ones due."""
    return _change(ids, RETRIED, lambda chosen: chosen.make_due() + chosen.requeue(), seen)


def send_again(ids: Sequence[UUID], *, seen: Seen | None = None) -> Changed:
    """Begin a new generation of invites that were sent and are not accepted."""
    return _change(ids, SENT_AGAIN, InviteQuerySet.send_again, seen)


def cancel_invites(ids: Sequence[UUID], *, seen: Seen | None = None) -> Changed:
    """Take back invites that wait or have failed."""
    return _change(ids, TAKEN_BACK, InviteQuerySet.cancel, seen)


def why_skipped(invite: Invite, eligible: frozenset[Invite.Status]) -> str:
    """Return why a verb for rows of these states leaves this invite alone, or ""."""
    status = invite.Status.ACCEPTED if invite.accepted_at else invite.Status(invite.status)
    return "" if status in eligible else WHY_SKIPPED[status]


def _change(
    ids: Sequence[UUID],
    eligible: frozenset[Invite.Status],
    act: Callable[[InviteQuerySet], int],
    seen: Seen | None,
) -> Changed:
    """Change those of the chosen rows that are still eligible, and count why the others are not."""
    return change(
        Invite.objects.only("status", "accepted_at", "updated_at"),
        ids=ids,
        why_not=lambda invite: why_skipped(invite, eligible),
        act=act,
        seen=seen,
    )


def seed_demo(now: datetime) -> int:
    """Fill an empty database with the invented club, once; return how many enquiries it made.

    Raises Refused where a row stands that is not invented.
    """
    with transaction.atomic():
        real = Enquiry.objects.exclude(raw_payload__contains=demo.MARK)
        orphans = Invite.objects.filter(enquiry=None)
        if real.exists() or orphans.exists():
            raise Refused("This database holds real rows, so nothing was invented here.")
        if Enquiry.objects.exists():
            return 0
        people = Enquiry.objects.bulk_create(demo.enquiries(now))
        Invite.objects.bulk_create(demo.invites(people, now))
    return len(people)
