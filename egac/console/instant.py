"""The instant that a page of the admin is of: the site reads it once, at the door of the page."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest


def now_of(request: HttpRequest) -> datetime:
    """Return when the site let this request in."""
    let_in: Any = request
    now: datetime = let_in.now
    return now
