"""Staff of the tests, and the addresses of the admin's pages."""

from collections.abc import Iterator
from itertools import count
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

OUR_APPS = ("egac", "jobs", "invites", "notifications", "bookings", "billing")
numbers = count(1)


def login(group: str = "") -> Client:
    """Return a browser in which a member of the group, or of none, is signed in."""
    name = f"{group.lower() or 'stranger'}{next(numbers)}"
    user = get_user_model().objects.create_user(name, is_staff=True)
    if group:
        user.groups.add(Group.objects.get(name=group))
    client = Client()
    client.force_login(user)
    return client


def admin_patterns() -> Iterator[tuple[str, list[str]]]:
    """Return the name and the arguments' names of every admin page of our apps."""
    for pattern in _named(get_resolver().url_patterns):
        if (pattern.name or "").partition("_")[0] in OUR_APPS:
            yield pattern.name or "", list(pattern.pattern.regex.groupindex)


def _named(patterns: list[Any]) -> Iterator[URLPattern]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            if pattern.app_name in ("admin", None, ""):
                yield from _named(pattern.url_patterns)
        elif pattern.name:
            yield pattern


def admin_urls(objects: dict[str, Any]) -> dict[str, str]:
    """Return every admin address of our apps by name; `objects` are rows by `app_model`."""
    urls = {}
    for name, arguments in admin_patterns():
        model = "_".join(name.split("_")[:2])
        values = [objects[model].pk] if arguments else []
        urls[name] = reverse(f"admin:{name}", args=values)
    return urls
