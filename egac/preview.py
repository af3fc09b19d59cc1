"""A dry run: what each due row would send, rendered and kept to look at. Nothing is claimed."""

from collections.abc import Iterator
from typing import Any

from django.db.models import prefetch_related_objects
from django.db.models.functions import Now

from egac.outbox import Irrelevant, OutgoingQuerySet, Unsendable, text_of


def preview_due(rows: OutgoingQuerySet, *, limit: int | None) -> Iterator[tuple[Any, str]]:
    """Render due rows and keep what each would send, once per content.

    Yields each row with why it could not be sent, or "".
    """
    due = list(rows.due().in_order()[:limit])
    if due:
        prefetch_related_objects(due, *due[0].PREFETCH)
        due[0].look_up(due)
    for row in due:
        yield row, _previewed(row)


def _previewed(row: Any) -> str:
    try:
        row.check_relevance()
        preview = text_of(row.message())
    except (Unsendable, Irrelevant) as error:
        return str(error)
    if row.preview != preview:
        type(row).objects.filter(pk=row.pk).update(preview=preview, updated_at=Now())
    return ""
