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


def login_superuser() -> Client:
    """Return a browser of somebody who may see every page, those of Django itself included."""
    client = Client()
    client.force_login(get_user_model().objects.create_superuser(f"root{next(numbers)}"))
    return client


def admin_patterns() -> Iterator[tuple[str, list[str]]]:
    """Return the name and the arguments' names of every admin page of our apps."""
    for pattern in _named(get_resolver().url_patterns):
        if (pattern.name or "").partition("_")[0] in OUR_APPS:
            yield pattern.name or "", list(pattern.pattern.regex.groupindex)


def every_admin_pattern() -> Iterator[tuple[str, list[str]]]:
    """Return the same of every page of the admin, those of Django itself included."""
    [site] = [each for each in get_resolver().url_patterns if _is_admin(each)]
    for pattern in _named(site.url_patterns):
        yield pattern.name or "", list(pattern.pattern.regex.groupindex)


def _is_admin(pattern: URLPattern | URLResolver) -> bool:
    return isinstance(pattern, URLResolver) and pattern.app_name == "admin"


def _named(patterns: list[Any]) -> Iterator[URLPattern]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            if pattern.app_name in ("admin", None, ""):
                yield from _named(pattern.url_patterns)
        elif pattern.name:
            yield pattern


def admin_urls(objects: dict[str, Any]) -> dict[str, str]:
    """Return every admin address of our apps by name; `objects` are rows by `app_model`."""
    return {name: admin_url(name, arguments, objects) for name, arguments in admin_patterns()}


def admin_url(name: str, arguments: list[str], objects: dict[str, Any]) -> str:
    """Return the address of a page of the admin, about one of the objects where it is about one."""
    about = objects["_".join(name.split("_")[:2])].pk if arguments else None
    return reverse(f"admin:{name}", args=[about] if arguments else [])
