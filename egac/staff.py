"""What the staff's verbs of every app share: the rows they lock, and the two numbers they tell."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

# When each chosen row had last changed, as a page showed it.
Seen = Mapping[Any, datetime | None]

CHANGED_MEANWHILE = "changed by somebody else meanwhile"
GONE = "no longer there"


@dataclass(frozen=True)
class Changed:
    """The two numbers of a staff action: how many rows it changed, and why it skipped the rest."""

    changed: int
    skipped: dict[str, int]  # why: how many
    ids: tuple[Any, ...] = ()  # of the changed ones

    def sentence(self, did: str) -> str:
        """Return both numbers as a sentence, for example with "queued to be sent now"."""
        return f"{self.changed} {did}.{self.rest}"

    @property
    def rest(self) -> str:
        """Why the others were skipped, as a sentence that follows another; "" if none was."""
        rest = ", ".join(f"{count} {word}" for word, count in self.skipped.items())
        return f" Skipped: {rest}." if rest else ""


def together(parts: Iterable[Changed]) -> Changed:
    """Return the two numbers of several actions that were one press."""
    skipped: Counter[str] = Counter()
    ids: list[Any] = []
    for part in parts:
        skipped.update(part.skipped)
        ids += part.ids
    return Changed(len(ids), dict(skipped), tuple(ids))


def change(
    rows: QuerySet[Any],
    *,
    ids: Sequence[Any],
    why_not: Callable[[Any], str],
    act: Callable[[Any], int],
    seen: Seen | None,
) -> Changed:
    """Change those of the chosen rows that nothing speaks against, and count why not the others.

    With `seen`, a row that changed since then stays as it is: a second press has no effect.
    """
    skipped: Counter[str] = Counter()
    ours = []
    with transaction.atomic():
        for row in rows.filter(pk__in=ids).order_by("pk").select_for_update():
            if why := why_not(row) or _why_stale(row, seen):
                skipped[why] += 1
            else:
                ours.append(row.pk)
        changed = act(rows.filter(pk__in=ours))
    if gone := len(set(ids)) - skipped.total() - len(ours):
        skipped[GONE] = gone
    return Changed(changed, dict(skipped), tuple(ours))


def _why_stale(row: Any, seen: Seen | None) -> str:
    is_stale = seen is not None and seen.get(row.pk) != row.updated_at
    return CHANGED_MEANWHILE if is_stale else ""


def instant_of(version: str) -> datetime | None:
    """Return when a row had last changed as a page showed it; None, as no row, for nonsense."""
    try:
        return datetime.fromisoformat(version)
    except ValueError:
        return None
