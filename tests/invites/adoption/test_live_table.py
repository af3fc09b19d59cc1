"""The club's tables are adopted while the website uses them, or not at all."""

import io

import pytest
from django.core.management import call_command
from django.db import IntegrityError, OperationalError, connections
from django.test.utils import CaptureQueriesContext

from egac import adoption, indexing
from invites.models import Enquiry, Invite
from tests.invites.adoption.club_tables import (
    CLUB,
    TABLES,
    ClubDatabase,
    Make,
    Schema,
)


def test_an_unknown_word_stops_it_before_any_change(club: ClubDatabase) -> None:
    club.run("UPDATE invites SET status = 'it''s bounced' WHERE status = 'pending'")
    before = club.dump()

    with pytest.raises(
        adoption.Refused, match=r"invites\.status holds .* 'it''s bounced' \(rows: 3\)"
    ):
        club.migrate()

    assert club.dump() == before
    assert [name for (name,) in club.run(TABLES) if name.startswith("invites_")] == [
        "invites_pkey",
        "invites_token_key",
    ]


def test_the_update_that_it_names_lets_it_go_on(club: ClubDatabase, fresh_schema: Schema) -> None:
    club.run("ALTER TABLE invites ALTER status DROP NOT NULL")
    club.run("UPDATE invites SET status = 'bounced' WHERE status = 'failed'")
    club.run("UPDATE invites SET status = NULL WHERE status = 'sent'")
    with pytest.raises(adoption.Refused) as refusal:
        club.migrate()

    for line in str(refusal.value).splitlines():
        if line.startswith("  UPDATE"):
            club.run(line)
    club.migrate()

    assert club.run("SELECT count(*) FROM invites WHERE status = 'cancelled'") == [(2,)]
    assert club.schema() == fresh_schema


def test_gives_up_soon_on_a_table_in_use(
    club: ClubDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexing, "LOCK_TIMEOUT", "50ms")
    before, reader = club.dump(), connections[club.alias].copy()
    reader.set_autocommit(False)
    reader.cursor().execute("SELECT FROM invites")

    with pytest.raises(OperationalError, match="lock timeout"):
        club.migrate()

    reader.close()
    assert club.dump() == before


def test_looks_for_unknown_words_where_nobody_can_add_one(club: ClubDatabase) -> None:
    with CaptureQueriesContext(connections[club.alias]) as captured:
        club.migrate()

    statements = [query["sql"] for query in captured]
    steps = ["SET LOCAL lock_timeout", "LOCK TABLE", "quote_literal", "ALTER TABLE"]
    first = [next(n for n, sql in enumerate(statements) if step in sql) for step in steps]
    assert first == sorted(first)


def test_neither_reads_nor_builds_under_a_strong_lock(club: ClubDatabase) -> None:
    with CaptureQueriesContext(connections[club.alias]) as captured:
        club.migrate()

    statements = [query["sql"] for query in captured]
    added = [sql for sql in statements if "ADD CONSTRAINT" in sql]
    built = [sql for sql in statements if "CREATE INDEX" in sql]
    assert len(added) >= 3
    assert all("NOT VALID" in sql for sql in added)
    assert len(built) == len(Invite._meta.indexes) + len(Enquiry._meta.indexes)
    assert all("CONCURRENTLY" in sql for sql in built)


def test_an_invalid_index_is_built_anew(club: ClubDatabase, fresh_schema: Schema) -> None:
    with pytest.raises(IntegrityError):
        club.run("CREATE UNIQUE INDEX CONCURRENTLY invites_open ON invites (status)")

    club.migrate()

    assert club.schema() == fresh_schema


@pytest.mark.parametrize("number", ["0001", "0002", "0020", "0021", "0022", "0023", "0024"])
def test_printing_the_sql_changes_nothing(club: ClubDatabase, number: str) -> None:
    before = club.dump()

    call_command("sqlmigrate", "invites", number, database=club.alias, stdout=io.StringIO())

    assert club.dump() == before


@pytest.mark.parametrize("script", ["", CLUB])
def test_the_website_can_go_on_naming_only_its_own_columns(make: Make, script: str) -> None:
    database = make(script)
    database.migrate()

    database.run("INSERT INTO enquiries (name, email) VALUES ('Amelia', 'a@club.example')")
    database.run("INSERT INTO invites (token, enquiry_id) SELECT 'new', id FROM enquiries LIMIT 1")

    sql = "SELECT status, send_attempts, created_at <= now(), updated_at <= now() FROM invites"
    assert database.run(f"{sql} WHERE token = 'new'") == [("pending", 0, True, True)]


@pytest.mark.parametrize("script", ["", CLUB])
def test_the_database_itself_forgets_a_deleted_enquiry(make: Make, script: str) -> None:
    database = make(script)
    database.migrate()
    database.run("INSERT INTO enquiries (name) VALUES ('Amelia')")
    database.run("INSERT INTO invites (token, enquiry_id) SELECT 'n', id FROM enquiries LIMIT 1")

    database.run("DELETE FROM enquiries")

    assert database.run("SELECT enquiry_id FROM invites WHERE token = 'n'") == [(None,)]
