"""Every address of the admin that changes something opens to the groups of its permission alone."""

from typing import Any

import pytest
from django.contrib import admin

import egac.urls  # noqa: F401  finds the pages of the admin
from egac.console.actions import ActingAdmin
from egac.groups import GROUPS, may
from tests.one_of_each import one_of_each
from tests.staff import admin_patterns, admin_urls, login
from tests.stored import everything_stored

pytestmark = pytest.mark.django_db

# What the last word of an address's name asks for, of the model before it.
VERBS = {
    "add": "add",
    "edit": "change",
    "delete": "delete",
    "export": "export",
    "import": "import",
    "process_import": "import",
}
OTHERS = {
    "bookings_classpackage_change": "bookings.change_classpackage",
    "bookings_classsession_register": "bookings.mark_enrolment",
    "bookings_instructor_change": "bookings.change_instructor",
    "egac_failure_retry": "invites.retry_invite",  # the cause of one_of_each is one of invites
    "egac_failure_take_back": "invites.retry_invite",
    "egac_person_reveal": "egac.reveal_addresses",
    "jobs_scheduledjob_pause": "jobs.pause_job",
    "jobs_scheduledjob_resume": "jobs.pause_job",
    "jobs_scheduledjob_run": "jobs.run_job",
}
# Their buttons do it, each of them for a reason; Django's own page to delete opens for nobody.
BY_BUTTON_ALONE = {"bookings_enrolment_delete", "egac_suppression_delete"}
LOOKS = (
    "changelist",
    "change",
    "history",
    "email",
    "would_send",
    "page",
    "pdf",
    "register_csv",
    "day",
    "test",
    "dashboard",
)


def acting() -> list[ActingAdmin]:
    return [each for each in admin.site._registry.values() if isinstance(each, ActingAdmin)]


def doors() -> dict[str, str]:
    """Return of the name of every address that changes something the permission that opens it."""
    stock = {name: needed for name, _ in admin_patterns() if (needed := stock_permission(name))}
    actions = {
        of.url_name(action.name): action.permission
        for of in acting()
        for action in of.staff_actions
    }
    return stock | actions | OTHERS


def stock_permission(name: str) -> str:
    """Return the permission to add, change and the like that an address is named after, or ""."""
    app, _, rest = name.partition("_")
    model, _, page = rest.partition("_")
    return f"{app}.{VERBS[page]}_{model}" if page in VERBS else ""


def confirmed(objects: dict[str, Any]) -> dict[str, dict[str, str]]:
    """Return what the page that asks would post, for each button of a list about one row."""
    return {
        of.url_name(action.name): {
            "seen": f"{row.pk}@{of.version_of(row)}",
            "reason": "Because.",
        }
        for of in acting()
        if (row := objects.get(f"{of.opts.app_label}_{of.opts.model_name}"))
        for action in of.staff_actions
    }


def opens(group: str, permission: str) -> bool:
    app, _, codename = permission.partition(".")
    return may(GROUPS[group], app, codename)


def test_every_address_is_known_to_look_or_to_change() -> None:
    names = {name for name, _ in admin_patterns()}

    looks = {name for name in names - set(doors()) if name.endswith(LOOKS)}

    assert names == looks | set(doors())
    assert len(doors()) > 60


@pytest.mark.parametrize("group", GROUPS)
def test_19_a_group_may_press_what_its_permissions_open_and_nothing_else(group: str) -> None:
    objects = one_of_each()
    urls, person = admin_urls(objects), login(group)

    answers = {name: person.post(urls[name]).status_code for name in doors()}

    refused = {name for name, status in answers.items() if status == 403}
    closed = {name for name, needed in doors().items() if not opens(group, needed)}
    assert refused == closed | BY_BUTTON_ALONE
    assert {answers[name] for name in set(answers) - refused} <= {200, 302}


@pytest.mark.parametrize("group", GROUPS)
def test_19_a_confirmed_press_that_is_not_theirs_changes_no_table(group: str) -> None:
    objects = one_of_each()
    urls, person = admin_urls(objects), login(group)
    posts = {
        name: data for name, data in confirmed(objects).items() if not opens(group, doors()[name])
    }
    before = everything_stored()

    answers = {person.post(urls[name], posted).status_code for name, posted in posts.items()}

    assert everything_stored() == before
    assert answers <= {403}
    assert len(posts) == {"Viewers": 19, "Operators": 4, "Managers": 0}[group]
