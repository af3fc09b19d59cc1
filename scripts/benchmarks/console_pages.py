"""Every address of the lists of the admin, taken from its registry: a new list is among them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.admin import ModelAdmin
from django.test import Client
from django.urls import reverse

import egac.urls  # noqa: F401  finds the pages of the admin

SEARCHES = {
    "for a name that many bear": "amelia",
    "for a word that many have": "payment",
    "for an address": "person4711@families.example",
    "for an invoice's number": "EGAC-2026-000123",
    "for an id": "4711",
    "for nobody": "nobody at all",
    "for signs": "'; | & ! <-> :* \\ \" 🏃",
}


@dataclass(frozen=True)
class Page:
    """One address, and what it shows."""

    what: str
    url: str


def lists() -> list["ModelAdmin[Any]"]:
    """Return the admins of rows; a page of the admin without a table has no list."""
    admins = admin.site._registry.values()
    return [each for each in admins if each.model._meta.managed]


def list_url(of: "ModelAdmin[Any]") -> str:
    return reverse(f"admin:{of.opts.app_label}_{of.opts.model_name}_changelist")


def pages_of(
    of: "ModelAdmin[Any]", client: Client, *, searches: Mapping[str, str]
) -> Iterator[Page]:
    """Yield a list, its last page, by each filter value, order and search, and one row's page."""
    url = list_url(of)
    shown: Any = client.get(url)
    changelist = shown.context_data["cl"]
    yield Page("the list", url)
    yield Page("its last page", f"{url}?p={changelist.paginator.num_pages}")
    for spec in changelist.filter_specs:
        for choice in list(spec.choices(changelist))[1:]:
            yield Page(f"{spec.title}: {choice['display']}", url + choice["query_string"])
    for number, column in enumerate(changelist.list_display):
        if changelist.sortable_by and column in changelist.sortable_by:
            yield Page(f"by {column}", f"{url}?o={number}")
            yield Page(f"by {column}, the other way", f"{url}?o=-{number}")
    if of.search_fields:
        for what, term in searches.items():
            yield Page(f"search {what}", searching(url, term))
    if changelist.result_list and of.list_display_links is not None:
        yield Page("a row", changelist.url_for_result(changelist.result_list[0]))


def pages_without_rows(*, on: date) -> dict[str, list[Page]]:
    """Return the pages that sum up or that no table stands behind, by what they are about.

    `on` is a day of the month ahead.
    """
    pages = {"the dashboard": [Page("itself", reverse("admin:index"))]}
    for each in admin.site._registry.values():
        if not each.model._meta.managed:
            pages[str(each.opts.verbose_name)] = [Page("itself", list_url(each))]
    day = reverse("admin:billing_monthahead_day", args=[on.isoformat()])
    pages["month ahead"].append(Page("a day", day))
    pages["person"] += people()
    return pages


def people() -> Iterator[Page]:
    """Yield each search for somebody, and timelines: of whom most is known, and of another."""
    url = reverse("admin:egac_person_changelist")
    for what, term in SEARCHES.items():
        yield Page(f"search {what}", searching(url, term))
    for what, which in (("whom most is known of", "customer-1"), ("somebody", "customer-2")):
        yield Page(what, reverse("admin:egac_person_change", args=[which]))
    of_most = reverse("admin:egac_person_change", args=["customer-1"])
    yield Page("whom most is known of, the second page", f"{of_most}?page=2")


def searching(url: str, term: str) -> str:
    """Return the address of a search."""
    return f"{url}?{urlencode({'q': term})}"
