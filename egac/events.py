"""What a delivery event means, and what it changes: whom we write to, and rows in doubt.

A provider may tell its events twice and in any order, and before our own record of the call. So
what a message came to, and how its row ends, is a function of the set of its events, and an event
that finds its row still being sent waits until a pass has seen the call end.
"""

import logging
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from email.utils import getaddresses
from typing import Any

from django.apps import apps
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Exists, F, Min, OuterRef, Q, QuerySet
from django.db.models.functions import Cast, Now
from django.utils.timezone import localtime

from egac.delivery import DeliveryEvent, MessageAudit, Suppression
from egac.logs import about
from egac.outbox import Outgoing
from egac.providers import ProviderError
from egac.retry import Reason

logger = logging.getLogger(__name__)

Kind = DeliveryEvent.Kind
RANK = {str(kind): place for place, kind in enumerate(Kind)}
CLOCKS_DIFFER = timedelta(minutes=5)  # at most, the provider's from ours
LONGEST_TEXT = 500
GENERATION = re.compile(r"[1-9][0-9]{0,8}")
NOBODY = ("", "", None)
NAMES = {"resend": "Resend", "whatsapp": "WhatsApp"}


@dataclass(frozen=True)
class Told:
    """One event as a provider told it, under the names of DeliveryEvent's columns."""

    provider: str
    event_id: str
    provider_message_id: str
    source: str
    source_id: str
    generation: int | None
    kind: str
    occurred_at: datetime
    recipient: str = ""
    code: str = ""
    detail: str = ""


def delivery_state(events: Iterable[DeliveryEvent]) -> str:
    """Return what became of a message: the kind of its most telling event, "" without one."""
    return max((event.kind for event in events), key=lambda kind: RANK[kind], default="")


def plain(value: object) -> str:
    """Return the start of a text without what PostgreSQL refuses; "" for all that is no text."""
    text = value if isinstance(value, str) else ""
    return text[:LONGEST_TEXT].replace("\0", "").encode("utf-8", "replace").decode()


def mapping(value: object) -> dict[str, Any]:
    """Return a JSON object, an empty one for all that is none."""
    return value if isinstance(value, dict) else {}


def row_named(tag: object) -> tuple[str, str, int | None]:
    """Return table, key and generation of the row whose `tag` a message carried, or NOBODY.

    The generation is None where the message went out before a tag named it. Other programs send
    through the same account, so a tag may be theirs.
    """
    table, _, rest = plain(tag).partition("-")
    key, has_generation, generation = rest.partition("_")
    model = outgoing_tables().get(table)
    if model is None or (has_generation and not GENERATION.fullmatch(generation)):
        return NOBODY
    try:
        named = str(model._meta.pk.clean(key, None))
    except ValidationError:
        return NOBODY
    return table, named, int(generation) if has_generation else None


def outgoing_tables() -> dict[str, Any]:
    """Return the model of every table of outgoing rows, whichever app it belongs to."""
    return {
        model._meta.db_table: model for model in apps.get_models() if issubclass(model, Outgoing)
    }


def receive(told: Told) -> bool:
    """Keep an event and apply it; return whether it was new. Told twice, it is kept once."""
    with transaction.atomic():
        event, is_new = DeliveryEvent.objects.get_or_create(
            provider=told.provider, event_id=told.event_id, defaults=asdict(told)
        )
        if is_new:
            _suppress(event)
            settle(event)
    return is_new


def why_not_to_write(event: DeliveryEvent) -> str:
    """Return why an event forbids us to write to its address again, or ""."""
    on = f"{localtime(event.occurred_at):%-d %B %Y}"
    words = f": {event.detail.rstrip('.')}" if event.detail else ""
    if event.kind == Kind.BOUNCED and event.code == "Permanent":
        return f"Hard bounce on {on}{words}"
    if event.kind == Kind.COMPLAINED:
        return f"Complaint on {on}: a message was marked as spam"
    if event.kind == Kind.SUPPRESSED:
        return f"Withheld by the provider on {on}{words or ': it bounced or complained before'}"
    return ""


def _suppress(event: DeliveryEvent) -> None:
    """Put the event's address on the suppression list, where it forbids to write there."""
    if why := why_not_to_write(event):
        found = getaddresses([_recipient_of(event)])
        addresses = {address.lower() for _, address in found if "@" in address}
        Suppression.objects.bulk_create(
            (Suppression(address=address, reason=why) for address in sorted(addresses)),
            ignore_conflicts=True,
        )


def _recipient_of(event: DeliveryEvent) -> str:
    if event.recipient or not event.source:
        return event.recipient
    row = _row(event).first()
    return row.recipient if row else ""


def settle(event: DeliveryEvent) -> bool:
    """Let an event end the doubt about the row that it names; return whether it did.

    The row is locked meanwhile. One that is being sent is left to its own answer or repeat, and
    the event waits for that. Needs a transaction.
    """
    row = _row(event).select_for_update().first() if event.source else None
    if row is None:
        return False
    is_being_sent = row.status == row.Status.PROCESSING
    if event.waits_for_row is not is_being_sent:
        event.waits_for_row = is_being_sent
        event.save(update_fields=["waits_for_row"])
    if not _may_settle(event, row):
        return False
    event.settled_generation = row.generation
    event.save(update_fields=["settled_generation"])
    _row(event).update(**_outcome(row, list(_of_the_same_message(event))))
    logger.info(
        "%s %s: settled by a delivery event", event.source, event.source_id, extra=about(row)
    )
    return True


def settle_waiting(model: type[Outgoing]) -> int:
    """Settle the rows of a table whose events came before their calls had ended; return how many.

    Belongs at the beginning of a pass, where orphans have been settled.
    """
    waiting = DeliveryEvent.objects.filter(waits_for_row=True, source=model._meta.db_table)
    if not waiting.exists():
        return 0
    key = Cast(OuterRef("source_id"), output_field=model._meta.pk)
    named = model._default_manager.filter(pk=key)
    settled = 0
    for event in waiting.filter(Exists(named.filter(in_doubt(model)))):
        with transaction.atomic():
            settled += settle(event)
    may_still_need_it = in_doubt(model) | Q(status=model.Status.PROCESSING)
    waiting.exclude(Exists(named.filter(may_still_need_it))).update(waits_for_row=False)
    return settled


def in_doubt(model: type[Outgoing]) -> Q:
    """Return which rows may have been accepted and are not being sent now."""
    repeats = Q(status=model.Status.PENDING, in_doubt_since__isnull=False)
    return repeats | Q(status=model.Status.FAILED, reason=Reason.UNCERTAIN)


def _row(event: DeliveryEvent) -> QuerySet[Any]:
    model = outgoing_tables()[event.source]
    return model.objects.filter(pk=event.source_id).annotate(is_in_doubt=in_doubt(model))


def _of_the_same_message(event: DeliveryEvent) -> QuerySet[DeliveryEvent]:
    return DeliveryEvent.objects.filter(
        provider=event.provider,
        provider_message_id=event.provider_message_id,
        source=event.source,
        source_id=event.source_id,
    ).order_by("occurred_at", "event_id")


def _may_settle(event: DeliveryEvent, row: Any) -> bool:
    """Whether the row waits for such news, or was settled by earlier news of the same message."""
    if row.is_in_doubt:
        return _is_of_this_generation(event, row)
    settled = _of_the_same_message(event).filter(settled_generation=row.generation)
    return row.status in (row.DONE, row.Status.FAILED) and settled.exists()


def _is_of_this_generation(event: DeliveryEvent, row: Any) -> bool:
    """Whether the message is the one in doubt, not one that was sent before staff sent again.

    One that does not name its generation is told by the audit and by when it was first heard of.
    """
    if event.generation is not None:
        return bool(event.generation == row.generation)
    lines = MessageAudit.objects.filter(source=event.source, source_id=event.source_id)
    lines = lines.filter(provider_message_id=event.provider_message_id)
    if lines.exclude(generation=row.generation).exists():
        return False
    heard_of = _of_the_same_message(event).aggregate(first=Min("occurred_at"))["first"]
    return row.in_doubt_since is None or heard_of >= row.in_doubt_since - CLOCKS_DIFFER


def _outcome(row: Any, told: Sequence[DeliveryEvent]) -> dict[str, Any]:
    """Return how a row ends by all that was told of its message, in whatever order it came."""
    ended = {
        "provider_message_id": told[0].provider_message_id,
        "in_doubt_since": None,
        "repeats": 0,
        "orphaned": False,
        "lease_number": F("lease_number") + 1,
        "updated_at": Now(),
    }
    if delivery_state(told) != Kind.FAILED:
        sent = {"status": row.DONE, "reason": None, "last_error": None, "failed_at": None}
        return {**ended, **sent, "sent_at": told[0].occurred_at}
    failure = next(event for event in told if event.kind == Kind.FAILED)
    error = ProviderError(words_of(failure), permanent=True, code=failure.code)
    failed = {"status": row.Status.FAILED, "reason": Reason.PERMANENT, "sent_at": None}
    return {**ended, **failed, "failed_at": Now(), "last_error": row.error_value(error)}


def words_of(failure: DeliveryEvent) -> str:
    """Return a failure that a provider told of, as a sentence."""
    who = NAMES.get(failure.provider, failure.provider)
    why = " ".join(filter(None, [failure.code, failure.detail.rstrip(".")]))
    return f"{who} took the message and then failed to send it: {why or 'no reason was given'}."
