"""How soon the pages of staff open among a million messages, as a manager opens them."""

import statistics
import time
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.contrib.admin import ModelAdmin
from django.contrib.auth.models import Group, Permission, User
from django.test import Client, override_settings

from scripts.benchmarks import console_rows
from scripts.benchmarks.console_pages import SEARCHES, Page, lists, pages_of, pages_without_rows
from scripts.benchmarks.counts import Counts
from scripts.benchmarks.measure import Measure

MOST_MILLISECONDS = 300
MOST_OF_A_MONTH = 3_000  # it decides about every booking and unpaid invoice, day after day
MOST_OF_MISSED_DAYS = 3_000  # it runs missed jobs dry for 1.5 seconds and to the end of a batch
# No server stands before the pages: they are asked for by name, and their files are not gathered.
AS_ASKED = {
    "ALLOWED_HOSTS": ["testserver"],
    "SECURE_SSL_REDIRECT": False,
    "STORAGES": {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    },
}
SLOWER = {"month ahead": MOST_OF_A_MONTH, "missed day": MOST_OF_MISSED_DAYS}


def measures(counts: Counts) -> Iterator[Measure]:
    """Measure every page of every list, and the pages that sum up."""
    with override_settings(**AS_ASKED):
        client = manager()  # first: the staff actions among the rows are hers
        console_rows.fill(counts.messages)
        console_rows.tidy()
        for title, pages in pages_without_rows(on=console_rows.tomorrow()).items():
            most = SLOWER.get(title, MOST_MILLISECONDS)
            yield opened(title, pages, client, rounds=counts.rounds, most=most)
        for of in lists():
            pages = list(pages_of(of, client, searches=SEARCHES))
            title = f"{of.opts.verbose_name_plural}, {rows_of(of):,} rows"
            yield opened(title, pages, client, rounds=counts.rounds)


def rows_of(of: "ModelAdmin[Any]") -> int:
    """Return how many rows a list has."""
    return int(of.model._default_manager.count())


def manager() -> Client:
    """Return a browser in which a manager is signed in, who may see the accounts of staff too."""
    user = User.objects.create_user("bench", is_staff=True)
    user.groups.add(Group.objects.get(name="Managers"))
    user.user_permissions.add(*Permission.objects.filter(codename__in=("view_user", "view_group")))
    client = Client()
    client.force_login(user)
    return client


def opened(
    name: str, pages: list[Page], client: Client, *, rounds: int, most: int = MOST_MILLISECONDS
) -> Measure:
    """Hold the slowest page of a list against the bound."""
    taken = {page: [milliseconds(page, client) for _ in range(rounds + 1)][1:] for page in pages}
    medians = {page: statistics.median(each) for page, each in taken.items()}
    slowest = max(medians, key=lambda page: medians[page])
    made_of = (
        f"ms; {len(pages)} pages, median {statistics.median(medians.values()):.0f}, worst once "
        f"{max(map(max, taken.values())):.0f}; slowest is {slowest.what}"
    )
    figure = medians[slowest]
    return Measure(name, figure, made_of, most, at_least=False)


def milliseconds(page: Page, client: Client) -> float:
    """Return how long the server takes to answer."""
    began = time.perf_counter()
    answer = client.get(page.url)
    took = (time.perf_counter() - began) * 1000
    assert answer.status_code == 200, f"{page.url}: {answer.status_code}"
    return took
