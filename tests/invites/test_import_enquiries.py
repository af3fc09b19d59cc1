"""Importing a CSV file: each enquiry once, the good lines together, every refused line reported."""

import io
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection
from django.db.models.functions import Now
from django.template import Context, Template

from invites.imports import import_enquiries, preview_import
from invites.models import Enquiry, Invite

SAMPLE = Path(__file__).resolve().parents[1] / "data" / "enquiries.csv"
TODAY = date(2026, 11, 21)

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> tuple[str, int]:
    """Return what the command prints and its exit status."""
    out = io.StringIO()
    try:
        call_command("import_enquiries", *arguments, stdout=out)
    except SystemExit as stopped:
        return out.getvalue(), int(stopped.code or 0)
    return out.getvalue(), 0


def import_sample(**options: Any) -> dict[str, Any]:
    return import_enquiries(SAMPLE.read_bytes(), today=TODAY, **options)


def import_one(row: str) -> Enquiry:
    import_enquiries(f"name,email,enquired_on,note\n{row}\n".encode(), today=TODAY)
    return Enquiry.objects.get()


def forbid(table: str, condition: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT a_fault CHECK (NOT ({condition}))")


def test_the_sample_gives_295_new_one_already_there_and_four_refused() -> None:
    report = import_sample()

    assert (report["new"], report["already_there"], report["refused"]) == (295, 1, 4)
    assert report["already_there_lines"] == [56]
    assert [each["line"] for each in report["refused_lines"]] == [29, 55, 92, 152]
    assert Enquiry.objects.count() == 295
    assert Invite.objects.count() == 0


def test_a_second_import_adds_nothing() -> None:
    import_sample()

    report = import_sample(invite=True)

    assert (report["new"], report["already_there"], report["refused"]) == (0, 296, 4)
    assert Enquiry.objects.count() == 295
    assert Invite.objects.count() == 0


def test_with_invite_every_new_enquiry_gets_one_pending_invite() -> None:
    report = import_sample(invite=True)

    invites = Invite.objects.filter(status=Invite.Status.PENDING, enquiry__isnull=False)
    assert report["invited"] == 295
    assert invites.values("enquiry").distinct().count() == Invite.objects.count() == 295
    assert invites.values("token").distinct().count() == 295


def test_a_preview_reports_the_same_and_saves_nothing() -> None:
    preview = preview_import(SAMPLE.read_bytes(), today=TODAY, invite=True)

    assert Enquiry.objects.count() == 0
    assert preview == import_sample(invite=True)


@pytest.mark.parametrize(
    ("name", "email", "is_the_same"),
    [
        ("ZOE\u0308  hart", " Zoe@Families.EXAMPLE ", True),
        ("Zoë Hart", None, False),
        (None, "zoe@families.example", False),
        ("Tom Hart", "zoe@families.example", False),
        ("Zoë Hart", "zoe2@families.example", False),
    ],
)
def test_finds_an_enquiry_of_the_database(
    name: str | None, email: str | None, is_the_same: bool
) -> None:
    Enquiry.objects.create(name=name, email=email)

    report = import_enquiries("name,email\nZoë Hart,zoe@families.example\n".encode(), today=TODAY)

    assert report["already_there"] == int(is_the_same)


def test_good_lines_go_in_together_or_not_at_all() -> None:
    forbid("enquiries", "name = 'Mia Taylor'")

    with pytest.raises(IntegrityError, match="a_fault"):
        import_sample()

    assert Enquiry.objects.count() == 0


def test_enquiries_go_in_with_their_invites_or_not_at_all() -> None:
    forbid("invites", "true")

    with pytest.raises(IntegrityError, match="a_fault"):
        import_sample(invite=True)

    assert Enquiry.objects.count() == 0


@pytest.mark.django_db(transaction=True)
def test_imports_side_by_side_add_each_enquiry_once() -> None:
    start = Barrier(4)

    def import_and_close(_: int) -> int:
        start.wait()
        try:
            return int(import_sample(invite=True)["new"])
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        new = list(pool.map(import_and_close, range(4)))

    assert sorted(new) == [0, 0, 0, 295]
    assert Enquiry.objects.count() == Invite.objects.count() == 295


def test_an_enquiry_is_as_old_as_the_start_of_its_day_in_london() -> None:
    enquiry = import_one("Zoe,zoe@families.example,01/09/2026,")

    assert enquiry.created_at == datetime(2026, 8, 31, 23, tzinfo=UTC)


def test_an_enquiry_without_a_day_is_as_old_as_its_row() -> None:
    import_one("Zoe,zoe@families.example,,")

    assert Enquiry.objects.filter(created_at__gt=Now() - timedelta(minutes=1)).exists()


def test_keeps_the_original_record_beside_the_cleaned_one() -> None:
    enquiry = import_one(' Zoe , ZOE@families.example,,"one\r\ntwo"')

    assert (enquiry.name, enquiry.email, enquiry.note) == (
        "Zoe",
        "zoe@families.example",
        "one\ntwo",
    )
    assert enquiry.raw_payload == {
        "name": " Zoe ",
        "email": " ZOE@families.example",
        "enquired_on": "",
        "note": "one\r\ntwo",
    }


def test_postgresql_takes_every_character_that_a_file_may_hold() -> None:
    strange = "".join(map(chr, range(0x300))).replace('"', "") + "\ufffe\uffff\U0010ffff"

    enquiry = import_one(f'Zoe,zoe@families.example,,"{strange}"')

    kept = dict(enquiry.raw_payload or {})["note"]
    assert "\0" not in f"{enquiry.note}{kept}"
    assert len(kept) == len(strange) - 1


def test_a_formula_and_a_script_are_kept_and_stand_escaped_in_a_page() -> None:
    import_one('"=HYPERLINK(""x"")<script>",zoe@families.example,,')

    page = Template("{{ enquiry }}").render(Context({"enquiry": Enquiry.objects.get()}))

    assert page.startswith("=HYPERLINK(&quot;x&quot;)&lt;script&gt; &lt;zoe@")


def test_the_command_prints_counts_then_each_refused_line() -> None:
    printed, status = run(str(SAMPLE), "--invite")

    assert status == 1
    assert printed.splitlines()[:5] == [
        "295 new, 1 already there (line 56), 4 refused. "
        "Each of the 295 new ones has a pending invite.",
        "line 29: It has no usable address: 'not-an-address' is none.",
        "line 55: It has no usable address: the e-mail is empty.",
        "line 92: 31/02/2015 is no such day (date_of_birth).",
        "line 152: It has no name.",
    ]


def test_the_command_names_the_first_of_many_lines_that_are_there() -> None:
    import_sample()

    printed, _ = run(str(SAMPLE))

    first = "lines 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 286 more"
    assert printed.startswith(f"0 new, 296 already there ({first}), 4 refused.\n")


def test_the_command_ends_with_0_when_no_line_was_refused(tmp_path: Path) -> None:
    file = tmp_path / "good.csv"
    file.write_text("name,email\nZoe,zoe@families.example\n")

    assert run(str(file)) == ("1 new, 0 already there, 0 refused.\n", 0)


def test_a_dry_run_says_so_and_saves_nothing() -> None:
    printed, status = run(str(SAMPLE), "--dry-run")

    assert printed.startswith("Dry run, nothing was saved. It would be: 295 new, 1 already there")
    assert status == 1
    assert Enquiry.objects.count() == 0


def test_prints_the_report_as_one_object() -> None:
    report = json.loads(run(str(SAMPLE), "--json")[0])

    assert report["refused_lines"][3] == {"line": 152, "reason": "It has no name."}
    assert {name: report[name] for name in ("new", "already_there", "refused", "dry_run")} == {
        "new": 295,
        "already_there": 1,
        "refused": 4,
        "dry_run": False,
    }


def test_reads_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(SAMPLE.read_bytes())))

    assert run("-")[0].startswith("295 new")


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("gone.csv", None, "gone.csv: No such file or directory. Name a CSV file"),
        (".", None, "Is a directory. Name a CSV file"),
        ("empty.csv", b"", "The file is empty"),
        ("wide.csv", "name,email\nZoe,z@b.example\n".encode("utf-16"), "Save it as CSV"),
        ("narrow.csv", b"name,phone\nZoe,1\n", "There is no column email."),
        ("large.csv", b"x" * (10 * 1024 * 1024 + 1), "larger than 10 MB"),
    ],
    ids=["gone", "folder", "empty", "utf-16", "column", "large"],
)
def test_ends_with_2_and_a_sentence_for_a_file_that_cannot_be_used(
    tmp_path: Path, name: str, content: bytes | None, sentence: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)

    with pytest.raises(CommandError, match=sentence) as caught:
        run(str(tmp_path / name))

    assert caught.value.returncode == 2
