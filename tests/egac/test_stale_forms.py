"""Every form that changes a row: one that was left open undoes nobody's correction."""

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.test import RequestFactory
from django.urls import reverse

from egac.staff import CHANGED_MEANWHILE
from tests.forms import opened
from tests.one_of_each import one_of_each
from tests.staff import login_superuser

pytestmark = pytest.mark.django_db

# What a colleague corrects on each form. A new form needs a line here.
CORRECTED = {
    "auth_user": ("email", "kim@club.example"),
    "auth_group": ("name", "Coaches"),
    "invites_enquiry": ("email", "right@families.example"),
    "bookings_customer": ("email", "right@families.example"),
    "bookings_classpackage": ("name", "Junior running"),
    "bookings_instructor": ("zoom_user", "right@club.example"),
    "bookings_booking": ("currency", "EUR"),
    "bookings_classsession": ("title", "Relays"),
}


@pytest.fixture
def rows() -> dict[str, Any]:
    """A row of each table that has pages, those of Django itself included."""
    kim = get_user_model().objects.create_user("kim", is_staff=True)
    group = Group.objects.create(name="Trainers")
    return {**one_of_each(), "auth_user": kim, "auth_group": group}


def form_url(name: str, row: Any) -> str:
    is_own_page = name in ("bookings_customer", "bookings_booking", "bookings_classsession")
    return reverse(f"admin:{name}_{'edit' if is_own_page else 'change'}", args=[row.pk])


def test_every_form_that_changes_a_row_is_held_by_this(rows: dict[str, Any]) -> None:
    request = RequestFactory().get("/")
    request.user = get_user_model().objects.create_superuser("root")

    changed = {
        f"{page.opts.app_label}_{page.opts.model_name}"
        for page in admin.site._registry.values()
        if page.has_change_permission(request)
    }

    never = {"bookings_enrolment"}  # a place is given and taken back, not changed
    assert changed - never == set(CORRECTED)


@pytest.mark.parametrize("name", CORRECTED)
def test_18_a_form_that_was_left_open_undoes_no_correction(name: str, rows: dict[str, Any]) -> None:
    row, (box, right) = rows[name], CORRECTED[name]
    root, url = login_superuser(), form_url(name, rows[name])
    left_open = opened(root, url)
    root.post(url, {**left_open, box: right})

    answer = root.post(url, left_open)

    row.refresh_from_db()
    assert getattr(row, box) == right
    assert CHANGED_MEANWHILE in answer.content.decode()


@pytest.mark.parametrize("name", CORRECTED)
def test_the_history_tells_what_a_value_was_and_what_it_is(name: str, rows: dict[str, Any]) -> None:
    row, (box, right) = rows[name], CORRECTED[name]
    root, url = login_superuser(), form_url(name, rows[name])
    was = getattr(row, box)

    root.post(url, {**opened(root, url), box: right})

    told = LogEntry.objects.get(object_id=str(row.pk)).get_change_message()
    assert f"{was or 'nothing'} → {right}" in told


def test_the_history_tells_which_permissions_were_added_and_taken_away() -> None:
    group = Group.objects.get(name="Viewers")
    root, url = login_superuser(), form_url("auth_group", group)
    posted = opened(root, url)
    taken_away, *others = posted["permissions"]

    root.post(url, {**posted, "permissions": others})

    told = LogEntry.objects.get(object_id=str(group.pk)).get_change_message()
    gone = group.permissions.model.objects.get(pk=taken_away)
    assert told == f"Changed Permissions: took away {gone}."


def test_a_new_password_stands_in_no_log(rows: dict[str, Any]) -> None:
    url = reverse("admin:auth_user_password_change", args=[rows["auth_user"].pk])
    secret = "open-sesame-42"

    login_superuser().post(
        url, {"password1": secret, "password2": secret, "usable_password": "true"}
    )

    assert secret not in LogEntry.objects.get().change_message
