"""The club's tables are taken over as they stand, and extended."""

from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connections

from invites.models import Enquiry, Invite
from tests.invites.adoption.club_tables import (
    ATTEMPTS,
    CLUB,
    FAILED_TWICE,
    MARKED,
    NAMES,
    POINTS,
    SCRIPT,
    VARIANTS,
    ClubDatabase,
    Make,
    Schema,
    lose_connection,
    without_gaps,
)


@pytest.mark.parametrize("variant", VARIANTS)
def test_adopted_and_fresh_schemas_are_equal(
    make: Make, fresh_schema: Schema, variant: str
) -> None:
    adopted = make(CLUB, VARIANTS[variant])

    adopted.migrate()

    assert adopted.schema() == fresh_schema


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_row_and_every_value_stays(make: Make, variant: str) -> None:
    database = make(CLUB, VARIANTS[variant])
    before = {key: without_gaps(row) for key, row in database.values().items()}

    database.migrate()

    after = database.values()
    assert after.keys() == before.keys()
    assert {key: {name: after[key][name] for name in before[key]} for key in before} == before


def test_the_schema_is_what_the_models_say(make: Make, fresh_schema: Schema) -> None:
    by_django = make()
    with connections[by_django.alias].schema_editor() as editor:
        editor.create_model(Enquiry)
        editor.create_model(Invite)

    ours, theirs = fresh_schema, by_django.schema()

    assert [row[:4] for row in ours["columns"]] == [row[:4] for row in theirs["columns"]]
    named = {rule.name for rule in Invite._meta.constraints}
    assert {row for row in ours["rules"] if row[1] in named} <= set(theirs["rules"])
    named = {index.name for index in Invite._meta.indexes}
    assert {row for row in ours["indexes"] if row[0] in named} <= set(theirs["indexes"])


@pytest.mark.django_db
def test_the_state_is_what_the_models_say() -> None:
    call_command("makemigrations", "invites", check=True, dry_run=True, verbosity=0)


def test_infers_one_attempt_for_what_was_sent_accepted_or_failed(club: ClubDatabase) -> None:
    club.migrate()

    assert club.run(ATTEMPTS) == [("1", 1), ("2", 1), ("3", 1), ("4", 0), ("5", 0), ("6", 0)]


@pytest.mark.parametrize(
    ("events", "attempts"),
    [
        (FAILED_TWICE, [("3", 2), ("5", 2)]),
        ("NULL", [("3", 1), ("5", 0)]),
        ("'{}'", [("3", 1), ("5", 0)]),
        ('\'[1, null, "invite_send_failed", {"type": []}]\'', [("3", 1), ("5", 0)]),
    ],
)
@pytest.mark.parametrize("way", ["migrate", "psql"])
def test_infers_as_many_attempts_as_failures_were_noted(
    club: ClubDatabase, events: str, attempts: list[Any], way: str
) -> None:
    club.run(f"UPDATE enquiries SET events = {events}")

    club.run(SCRIPT) if way == "psql" else club.migrate()

    assert [row for row in club.run(ATTEMPTS) if row[0] in "35"] == attempts


def test_attempts_that_were_counted_stay_and_only_gaps_are_filled(make: Make) -> None:
    database = make(CLUB, VARIANTS["attempts, some NULL"])

    database.migrate()

    assert database.run(ATTEMPTS) == [("1", 1), ("2", 2), ("3", 1), ("4", 0), ("5", 0), ("6", 0)]


def test_a_second_run_changes_nothing(club: ClubDatabase) -> None:
    club.migrate()
    before = club.dump()
    club.run("DELETE FROM django_migrations WHERE app = 'invites'")

    club.migrate()

    assert club.dump() == before


@pytest.mark.parametrize("point", POINTS)
def test_goes_on_after_a_failure(club: ClubDatabase, fresh_schema: Schema, point: str) -> None:
    lose_connection(point, club)

    club.migrate()

    assert club.schema() == fresh_schema
    assert club.run(ATTEMPTS) == [("1", 1), ("2", 1), ("3", 1), ("4", 0), ("5", 0), ("6", 0)]


def test_what_was_added_is_marked_and_nothing_else(club: ClubDatabase) -> None:
    before = set(club.run(NAMES))

    club.migrate()

    assert set(club.run(MARKED)) == set(club.run(NAMES)) - before


def test_rules_under_another_name_count_as_there(club: ClubDatabase) -> None:
    club.run("ALTER TABLE invites RENAME CONSTRAINT invites_enquiry_id_fkey TO of_an_enquiry")
    club.run("ALTER TABLE invites RENAME CONSTRAINT invites_token_key TO one_invite_per_token")
    before = {name for _, name, _ in club.schema()["rules"] if "not_null" not in name}

    club.migrate()

    after = {name for _, name, _ in club.schema()["rules"] if "not_null" not in name}
    assert after - before == {rule.name for rule in Invite._meta.constraints}


def test_a_reference_to_a_missing_row_is_kept(club: ClubDatabase) -> None:
    club.run("DROP TABLE enquiries CASCADE")
    before = club.run("SELECT id, enquiry_id FROM invites ORDER BY 1")

    club.migrate()

    assert club.run("SELECT id, enquiry_id FROM invites ORDER BY 1") == before
    with pytest.raises(IntegrityError):
        club.run("INSERT INTO invites (token, enquiry_id) VALUES ('t', gen_random_uuid())")


def test_fifty_thousand_rows_are_adopted(club: ClubDatabase, fresh_schema: Schema) -> None:
    club.run("UPDATE enquiries SET events = " + FAILED_TWICE)
    club.run("""
        INSERT INTO invites (token, enquiry_id, status)
        SELECT n || id::text, id, 'sent' FROM generate_series(1, 10000) AS n, enquiries""")

    club.migrate()

    assert club.run("SELECT sum(send_attempts) FROM invites WHERE status = 'sent'") == [(100_002,)]
    assert club.schema() == fresh_schema
