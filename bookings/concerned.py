"""What another app has to say of places in classes: bookings know of no invoice that names one."""

from collections.abc import Callable, Sequence

Note = Callable[[Sequence[int]], str]

NOTES: list[Note] = []


def register_note(note: Note) -> None:
    """Let an app say in sentences what staff must do about these places, or ""."""
    NOTES.append(note)


def notes_on(places: Sequence[int]) -> str:
    """Return what staff must do elsewhere about these places, or ""."""
    return " ".join(filter(None, (note(places) for note in NOTES)))
