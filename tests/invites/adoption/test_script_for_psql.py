"""The script for those who use psql alone, and its way back."""

from tests.invites.adoption.club_tables import CLUB, ROLLBACK, SCRIPT, ClubDatabase, Make


def test_the_script_for_psql_may_run_again(club: ClubDatabase) -> None:
    club.run(SCRIPT)
    club.run("UPDATE invites SET send_attempts = 7")
    before = club.dump()

    club.run(SCRIPT)

    assert club.dump() == before


def test_what_the_script_for_psql_added_is_not_ours(make: Make) -> None:
    database = make(CLUB, SCRIPT)
    before = database.dump()
    database.migrate()

    database.migrate("zero")

    assert database.dump() == before


def test_the_script_for_psql_has_a_way_back(club: ClubDatabase) -> None:
    club.run(SCRIPT)

    club.run(ROLLBACK)
    club.run(ROLLBACK)

    names = {row[1] for row in club.schema()["columns"]}
    assert "send_attempts" not in names
