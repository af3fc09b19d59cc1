"""Every kind of alert that the code can open has a button that ends it, for who may press it."""

import ast
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.test import Client
from django.urls import reverse

from egac import channels
from jobs import watchers
from jobs.fixes import FIXES, Button
from jobs.models import Alert
from jobs.watchers import BLIND
from tests.jobs.looks import NOON, finding
from tests.staff import OUR_APPS, login

ROOT = Path(__file__).resolve().parents[2]
LABELS = {
    "job:retry_invites": ["Run it now"],
    "job:run_worker_queue": ["Run it now"],
    BLIND: ["Look now"],
    "channel_down:email": ["Resume the channel"],
    "failed_invites": ["See them by cause", "Open the failed invites"],
    "failed_notifications": ["See them by cause", "Open the failed messages"],
    "due_too_old:whatsapp": ["Send them now", "Open the channel"],
    "billing_problems": ["Open what could not be billed"],
}


def kinds() -> Iterator[str]:
    """Yield the kind of every cause that some `Finding(...)` of the code names."""
    for path in (path for app in OUR_APPS for path in (ROOT / app).rglob("*.py")):
        for call in ast.walk(ast.parse(path.read_text())):
            if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "Finding":
                module = import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))
                (cause,) = (word.value for word in call.keywords if word.arg == "cause")
                yield from (each.partition(":")[0] for each in _causes(cause, vars(module)))


def _causes(cause: ast.expr, names: dict[str, Any]) -> list[str]:
    """Return what the words of a cause may come to, `x` where a row is named."""
    if isinstance(cause, ast.Call):
        return ["job:x", BLIND]  # cause_of names one or the other
    if isinstance(cause, ast.JoinedStr):
        return ["".join(_part(part, names) for part in cause.values)]
    return [str(eval(ast.unparse(cause), names))]


def _part(part: ast.expr, names: dict[str, Any]) -> str:
    if isinstance(part, ast.Constant):
        return str(part.value)
    assert isinstance(part, ast.FormattedValue)
    return str(names.get(ast.unparse(part.value), "x"))


def test_every_kind_of_alert_has_a_button_that_ends_it() -> None:
    found = set(kinds())

    assert {"job", "failed_invites", "due_too_old"} <= found
    assert found == set(FIXES) == {cause.partition(":")[0] for cause in LABELS}


@pytest.fixture
def alerts(db: None) -> list[Alert]:
    channels.named("email")
    channels.named("whatsapp")
    page = reverse("admin:jobs_scheduledjob_changelist")
    seen = {"opened_at": NOON, "last_seen_at": NOON}
    return [
        Alert.objects.create(cause=cause, sentence=f"3 of {cause}.", page=page, **seen)
        for cause in LABELS
    ]


def pressed(client: Client, button: Button) -> Any:
    if button.row:
        return client.post(button.url, {ACTION_CHECKBOX_NAME: button.row})
    return client.get(button.url)


def test_each_button_leads_a_manager_to_a_page_that_opens(alerts: list[Alert]) -> None:
    manager = login("Managers")

    for alert in alerts:
        page: Any = manager.get(reverse("admin:jobs_alert_change", args=[alert.pk]))
        buttons = page.context["buttons"]
        assert [button.label for button in buttons] == [*LABELS[alert.cause], "Open jobs"]
        assert [pressed(manager, button).status_code for button in buttons] == [200] * len(buttons)


def test_the_dashboard_shows_them_too_but_none_that_a_viewer_may_not_press(
    alerts: list[Alert], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [finding(alert.sentence, alert.cause) for alert in alerts]
    monkeypatch.setattr(watchers, "WATCHERS", {"of the test": lambda now: found})
    manager = login("Managers").get("/admin/").content.decode()
    viewer = login("Viewers").get("/admin/").content.decode()

    for label in {label for labels in LABELS.values() for label in labels}:
        assert label in manager
        assert (label in viewer) == label.startswith(("Open", "See"))
    assert all(f"3 of {cause}." in viewer for cause in LABELS)
