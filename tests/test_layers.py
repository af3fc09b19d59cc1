"""Who may import whom (design: the houses stand on floors, and nobody looks up or sideways)."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FLOORS = {"egac": 1, "jobs": 2, "invites": 3, "notifications": 3, "bookings": 4, "billing": 5}
# What an app above the ground shows to the floors above it. The ground (egac) and the jobs core
# are there to be built upon, so any module of theirs may be imported.
OPEN_TO_OTHERS = {"models", "services"}
GROUND = {"egac", "jobs"}


def modules() -> Iterator[Path]:
    for app in FLOORS:
        yield from (ROOT / app).rglob("*.py")


def imports_of(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)


def fault(importer: str, imported: str) -> str | None:
    """Return what is wrong with one import, or None."""
    app, _, rest = imported.partition(".")
    if app == importer or app not in FLOORS:
        return None
    if FLOORS[app] >= FLOORS[importer]:
        return f"{importer} imports {imported}, which does not stand below it"
    if app not in GROUND and rest.split(".")[0] not in OPEN_TO_OTHERS:
        return f"{importer} imports {imported}: only models and services are open to others"
    return None


def test_every_import_goes_down() -> None:
    faults = [
        f"{path.relative_to(ROOT)}:{line}: {wrong}"
        for path in modules()
        for imported, line in imports_of(path)
        if (wrong := fault(path.relative_to(ROOT).parts[0], imported))
    ]

    assert faults == []


@pytest.mark.parametrize(
    ("importer", "imported", "is_wrong"),
    [
        ("invites", "egac.outbox", False),
        ("invites", "jobs.command.JobCommand", False),
        ("invites", "notifications.models", True),
        ("egac", "invites.models", True),
        ("jobs", "invites.services", True),
        ("bookings", "invites.services.retry_now", False),
        ("bookings", "invites.admin", True),
        ("invites", "django.db", False),
    ],
)
def test_the_rule_tells_right_from_wrong(importer: str, imported: str, is_wrong: bool) -> None:
    assert bool(fault(importer, imported)) is is_wrong


def test_nothing_is_imported_inside_a_function_to_dodge_a_circle() -> None:
    inside = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in modules()
        if path.name not in ("apps.py", "settings.py", "localdb.py")
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(function, ast.FunctionDef)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]

    assert inside == []
