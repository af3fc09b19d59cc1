"""What each role may do, in words, read from the very table that makes the groups."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.apps import apps
from django.contrib.auth.models import Permission
from django.utils.text import capfirst

from egac.groups import GROUPS, OUR_APPS, may

STOCK_VERBS = ("add", "change", "delete")
CAN = "Can "


@dataclass(frozen=True)
class Allowed:
    """One thing that can be done, and which roles may do it, in the order of GROUPS."""

    words: str
    by: tuple[bool, ...]

    @property
    def by_role(self) -> list[tuple[str, bool]]:
        """Return each role's name and whether it may."""
        return list(zip(GROUPS, self.by, strict=True))


@dataclass(frozen=True)
class Area:
    """What can be done in one app."""

    title: str
    allowed: tuple[Allowed, ...]


def areas() -> list[Area]:
    """Return what the roles may do, an area for each app that gives anything to do."""
    every = Permission.objects.filter(content_type__app_label__in=OUR_APPS)
    by_app: dict[str, list[Permission]] = {label: [] for label in OUR_APPS}
    for permission in every.select_related("content_type").order_by("pk"):
        by_app[permission.content_type.app_label].append(permission)
    return [
        Area(str(apps.get_app_config(label).verbose_name), tuple(_allowed(permissions)))
        for label, permissions in by_app.items()
        if permissions
    ]


def _allowed(permissions: list[Permission]) -> Iterator[Allowed]:
    looks = [each for each in permissions if each.codename.startswith("view_")]
    if looks:
        yield Allowed(f"Look at {_listed(looks)}", _by(looks[0]))
    for permission in permissions:
        by = _by(permission)
        if permission not in looks and any(by):
            yield Allowed(words_of(permission), by)


def _by(permission: Permission) -> tuple[bool, ...]:
    label = permission.content_type.app_label
    return tuple(may(granted, label, permission.codename) for granted in GROUPS.values())


def _listed(looks: list[Permission]) -> str:
    *others, last = [_rows_of(permission) for permission in looks]
    return f"{', '.join(others)} and {last}" if others else last


def words_of(permission: Permission) -> str:
    """Return what a permission allows, for example "Add enquiries"; a view one by its rows."""
    verb, _, _ = permission.codename.partition("_")
    if verb == "view":
        return _rows_of(permission)
    if verb in STOCK_VERBS and permission.name.startswith(f"{CAN}{verb} "):
        return f"{verb.capitalize()} {_rows_of(permission)}"
    return capfirst(permission.name.removeprefix(CAN))


def _rows_of(permission: Permission) -> str:
    model = permission.content_type.model_class()
    return str(model._meta.verbose_name_plural if model else permission.content_type.model)
