"""Every list and sum of the admin, from its registry: what it asks does not grow with its rows."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.admin import ModelAdmin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from egac.console import paging
from egac.console.records import ListAdmin
from egac.models import Suppression
from scripts.benchmarks import console_rows
from scripts.benchmarks.console import manager
from scripts.benchmarks.console_pages import (
    list_url,
    lists,
    pages_of,
    pages_without_rows,
    searching,
)

pytestmark = pytest.mark.django_db
MOST_QUERIES = 40
FEW, MANY = 600, 1_800  # messages; of everything else there are fewer, in proportion
TYPED = {
    "for a name": "amelia",
    "for an address": "person47@families.example",
    "for an id": "1",
    "for nobody": "nobody at all",
}
# These run jobs dry: they decide about every booking, in batches.
RUN_DRY = ("month ahead: ", "missed day: ")
# A cap, an open state, of which there is an index, or a window of time.
BOUNDS = ("LIMIT", "'pending'", "'processing'", '"started_at" >=')
SUPPRESSIONS = "/admin/egac/suppression/"


@pytest.fixture
def client() -> Client:
    return manager()


def asked(client: Client) -> Iterator[tuple[str, list[str]]]:
    """Yield each page of each list, and each that sums up, with the statements behind it."""
    pages = {of.opts.label: pages_of(of, client, searches=TYPED) for of in lists()}
    for about, each in [*pages.items(), *pages_without_rows(on=console_rows.tomorrow()).items()]:
        for page in each:
            name = f"{about}: {page.what}"
            if name.startswith(RUN_DRY):
                continue
            with CaptureQueriesContext(connection) as queries:
                assert client.get(page.url).status_code == 200, page.url
            yield name, [query["sql"] for query in queries]


def counting_all(statements: list[str]) -> list[str]:
    return [each for each in statements if counts_everything(each)]


def counts_everything(statement: str) -> bool:
    """Return whether a statement counts rows without a bound, other than those of one row."""
    before, counts, _ = statement.partition("COUNT(")
    is_bounded = any(bound in statement for bound in BOUNDS)
    return bool(counts) and "(SELECT" not in before and not is_bounded


def test_23_every_page_takes_a_fixed_number_of_queries_and_counts_no_whole_table(
    client: Client,
) -> None:
    console_rows.fill(FEW)
    few = {page: len(statements) for page, statements in asked(client)}
    connection.check_constraints()  # what waits for the end of the transaction
    console_rows.fill(MANY)

    many = dict(asked(client))

    grown = {
        page: (few[page], len(statements))
        for page, statements in many.items()
        if page in few and len(statements) > few[page]
    }
    assert grown == {}
    assert {page: len(each) for page, each in many.items() if len(each) > MOST_QUERIES} == {}
    assert {page: all for page, each in many.items() if (all := counting_all(each))} == {}


@pytest.mark.parametrize("of", lists(), ids=lambda of: of.opts.label)
def test_every_list_is_paged_as_all_are(of: "ModelAdmin[Any]") -> None:
    assert isinstance(of, ListAdmin)
    assert issubclass(of.paginator, paging.CappedPaginator)


@pytest.fixture
def capped(monkeypatch: pytest.MonkeyPatch) -> None:
    """The end of every list after 100 rows."""
    monkeypatch.setattr(paging, "MOST_COUNTED", 100)


def suppress(count: int) -> None:
    Suppression.objects.bulk_create(
        Suppression(address=f"person{n}@families.example", reason="bounced") for n in range(count)
    )


@pytest.mark.parametrize(
    ("count", "said"), [(100, "100 suppressions"), (101, "more than 100 suppressions")]
)
@pytest.mark.usefixtures("capped")
def test_a_list_says_how_many_there_are_as_far_as_it_counted(
    client: Client, count: int, said: str
) -> None:
    suppress(count)

    shown = client.get(SUPPRESSIONS).content.decode()

    assert said in shown


@pytest.mark.parametrize(("count", "is_said"), [(100, False), (101, True)])
@pytest.mark.usefixtures("capped")
def test_the_last_page_says_that_there_is_more(client: Client, count: int, is_said: bool) -> None:
    suppress(count)

    first, last = (client.get(f"{SUPPRESSIONS}?p={page}").content.decode() for page in (1, 2))

    ending = "The list ends here, after 100 rows; there are more."
    assert (ending in first, ending in last) == (False, is_said)


@pytest.mark.parametrize("page", ["3", "99999999999", "-1", "x"])
@pytest.mark.usefixtures("capped")
def test_a_page_beyond_the_end_is_no_error(client: Client, page: str) -> None:
    suppress(101)

    assert client.get(f"{SUPPRESSIONS}?p={page}", follow=True).status_code == 200


def test_no_more_rows_are_offered_to_be_chosen_than_an_action_takes(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    suppress(60)
    offered = "Select all 60 suppressions" in client.get(SUPPRESSIONS).content.decode()
    monkeypatch.setattr(paging, "MOST_AT_ONCE", 50)

    shown = client.get(SUPPRESSIONS).content.decode()

    assert (offered, "Select all 60" in shown) == (True, False)


@pytest.mark.parametrize(
    "typed",
    [
        "'; DROP TABLE suppressions --",
        "a & | ! ( ) : * <-> b",
        '"quoted" \\ back',
        "🏃 e-mail 🏃",
        "nul\0within",
        "’ʼ²ⅷ٣",
        "x" * 10_000,
        "word " * 2_000,
        "%_%",
        "9" * 400,
    ],
    ids=lambda typed: typed[:12].encode("ascii", "replace").decode(),
)
def test_whatever_is_typed_is_searched_for(client: Client, typed: str) -> None:
    for of in lists():
        if of.search_fields:
            answer = client.get(searching(list_url(of), typed))

            assert answer.status_code == 200, of
