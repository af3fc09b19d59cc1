"""The main navigation: the pages that staff need most, on every page of the admin."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse


@dataclass(frozen=True)
class Shortcut:
    """A page that is one press away from everywhere, for who has `permission`."""

    label: str
    page: str  # the name of the page
    permission: str
    place: int = 50  # shortcuts stand in this order


SHORTCUTS: list[Shortcut] = []


def register_shortcut(shortcut: Shortcut) -> None:
    """Let an app offer a page of its own everywhere."""
    SHORTCUTS.append(shortcut)


def navigation_of(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the pages that this person may open, and which of them this one belongs to."""
    return [
        {"label": each.label, "url": url, "is_here": request.path.startswith(url)}
        for each in sorted(SHORTCUTS, key=lambda shortcut: shortcut.place)
        if request.user.has_perm(each.permission) and (url := reverse(each.page))
    ]
