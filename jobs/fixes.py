"""What ends each kind of trouble: a page that does it, or the one on which it is done.

An app registers what ends the kinds that its own watcher finds.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.apps import apps
from django.urls import Resolver404, resolve, reverse

from jobs.registry import WATCH_JOB
from jobs.watchers import BLIND


@dataclass(frozen=True)
class Button:
    """A link; with a row, a button that posts it to a staff action, which asks before it acts."""

    label: str
    url: str
    row: str = ""


@dataclass(frozen=True)
class Fix:
    """A page that ends a trouble, for who has `permission`.

    It is the page of the row that the cause names behind its colon, `email` of
    `channel_down:email`, or of `row`.
    """

    label: str
    page: str  # its name
    permission: str
    row: str = ""
    query: str = ""

    def button(self, cause: str) -> Button:
        row = self.row or cause.partition(":")[2]
        return Button(self.label, reverse(self.page, args=[row] if row else []) + self.query)


class ActionFix(Fix):
    """A staff action on the row that the cause names."""

    def button(self, cause: str) -> Button:
        return Button(self.label, reverse(self.page), row=cause.partition(":")[2])


BY_CAUSE = Fix("See them by cause", "admin:egac_failure_changelist", "egac.view_failure")
RUN = ("admin:jobs_scheduledjob_run", "jobs.run_job")
FIXES: dict[str, tuple[Fix, ...]] = {
    "job": (Fix("Run it now", *RUN),),
    BLIND: (Fix("Look now", *RUN, row=WATCH_JOB),),
    "channel_down": (
        ActionFix("Resume the channel", "admin:egac_channel_resume", "egac.pause_channel"),
    ),
}


def register_fixes(fixes: Mapping[str, tuple[Fix, ...]]) -> None:
    """Let an app say what ends each kind of trouble: the part of a cause before the colon."""
    FIXES.update(fixes)


def buttons_for(cause: str, page: str, may: Callable[[str], bool]) -> list[Button]:
    """Return what ends this trouble, for who may press it, and the link to the page it is on."""
    fixes = FIXES.get(cause.partition(":")[0], ())
    buttons = [fix.button(cause) for fix in fixes if may(fix.permission)]
    is_there = page in (button.url for button in buttons)
    return buttons if is_there else [*buttons, *_link_to(page, may)]


def _link_to(page: str, may: Callable[[str], bool]) -> list[Button]:
    """Return the link to a page of the admin, as "Open invites", for who may open it."""
    try:
        app, model, _ = (resolve(page.partition("?")[0]).url_name or "").split("_", 2)
        plural = apps.get_model(app, model)._meta.verbose_name_plural
    except (Resolver404, ValueError, LookupError):
        return [Button("Go there", page)]
    return [Button(f"Open {plural}", page)] if may(f"{app}.view_{model}") else []
