"""The club's tables are handed back as they were."""

import pytest

from egac import adoption
from tests.invites.adoption.club_tables import (
    CLUB,
    POINTS,
    POINTS_ON_THE_WAY_BACK,
    TRACELESS,
    VARIANTS,
    ClubDatabase,
    Make,
    Schema,
    lose_connection,
    without_gaps,
)


@pytest.mark.parametrize("point", POINTS)
def test_goes_back_after_a_failure(club: ClubDatabase, point: str) -> None:
    before = club.dump()
    lose_connection(point, club)

    club.migrate("zero")

    assert club.dump() == before


@pytest.mark.parametrize("point", POINTS_ON_THE_WAY_BACK)
def test_goes_back_after_a_failure_on_the_way_back(club: ClubDatabase, point: str) -> None:
    before = club.dump()
    club.migrate()
    lose_connection(point, club, "zero")

    club.migrate("zero")

    assert club.dump() == before


@pytest.mark.parametrize("variant", TRACELESS)
def test_the_way_back_leaves_what_was_there(make: Make, variant: str) -> None:
    database = make(CLUB, VARIANTS[variant])
    before = database.dump()
    database.migrate()

    database.migrate("zero")

    assert database.dump() == before


@pytest.mark.parametrize("variant", sorted(VARIANTS.keys() - TRACELESS))
def test_the_way_back_drops_no_value_that_was_there(make: Make, variant: str) -> None:
    database = make(CLUB, VARIANTS[variant])
    before = {key: without_gaps(row) for key, row in database.values().items()}
    database.migrate()

    database.migrate("zero")

    after = database.values()
    assert {key: {name: after[key][name] for name in before[key]} for key in before} == before


@pytest.mark.parametrize("variant", ["as it stands", "without enquiries", "attempts, some NULL"])
def test_goes_forward_again_after_the_way_back(
    make: Make, fresh_schema: Schema, variant: str
) -> None:
    database = make(CLUB, VARIANTS[variant])
    database.migrate()
    database.migrate("zero")

    database.migrate()

    assert database.schema() == fresh_schema


def test_a_fresh_table_is_marked_and_dropped_on_the_way_back(fresh: ClubDatabase) -> None:
    fresh.migrate("zero")

    assert fresh.left() == set()


def test_a_fresh_table_that_holds_rows_is_not_dropped(fresh: ClubDatabase) -> None:
    fresh.run("INSERT INTO enquiries (name) VALUES ('Amelia')")
    fresh.migrate("0001_initial")
    before = fresh.dump()

    with pytest.raises(adoption.Refused, match="DELETE FROM enquiries"):
        fresh.migrate("zero")

    assert fresh.dump() == before


def test_a_fresh_table_stays_when_its_mark_is_taken_away(fresh: ClubDatabase) -> None:
    fresh.run("INSERT INTO enquiries (name) VALUES ('Amelia')")
    fresh.run("COMMENT ON TABLE enquiries IS NULL")

    fresh.migrate("zero")

    assert fresh.run("SELECT name FROM enquiries") == [("Amelia",)]
    assert fresh.run("SELECT to_regclass('invites')") == [(None,)]
