"""Enquiries in the admin: the command's rules with a preview, and a file that does no harm."""

import csv
import io
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from threading import Barrier

import pytest
from django.db import connection
from import_export.results import RowResult

from egac.csv_files import UnusableFile
from invites.enquiry_csv import COLUMNS
from invites.imports import import_enquiries, preview_import
from invites.models import Enquiry
from invites.resources import EnquiryCsv, EnquiryResource, EnquiryResult
from tests.invites.factories import EnquiryFactory

SAMPLE = (Path(__file__).resolve().parents[1] / "data" / "enquiries.csv").read_bytes()
TODAY = date(2026, 11, 21)

pytestmark = pytest.mark.django_db


def load(content: bytes, *, dry_run: bool) -> EnquiryResult:
    dataset = EnquiryCsv().create_dataset(content)
    return EnquiryResource().import_data(dataset, dry_run=dry_run, today=TODAY)


def preview(content: bytes) -> EnquiryResult:
    return load(content, dry_run=True)


def confirm(content: bytes) -> EnquiryResult:
    return load(content, dry_run=False)


def export() -> bytes:
    return EnquiryCsv().export_data(EnquiryResource().export())


def cells_of_export() -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(export().decode("utf-8-sig"), newline="")))


def test_a_preview_judges_as_the_command_does_and_saves_nothing() -> None:
    command = preview_import(SAMPLE, today=TODAY)

    result = preview(SAMPLE)

    assert not result.has_errors()
    assert result.summary == "295 new, 1 already there, 4 refused."
    assert result.refused_lines == [
        f"line {each['line']}: {each['reason']}" for each in command["refused_lines"]
    ]
    assert Enquiry.objects.count() == 0


def test_a_confirmed_import_saves_the_good_lines_as_the_command_does() -> None:
    confirm(SAMPLE)

    assert Enquiry.objects.count() == 295
    report = import_enquiries(SAMPLE, today=TODAY)
    assert (report["new"], report["already_there"]) == (0, 296)


def test_a_confirmed_import_saves_the_same_values_as_the_command() -> None:
    values = ("name", "email", "phone", "dob", "note", "created_at", "raw_payload")
    confirm(SAMPLE)
    saved = list(Enquiry.objects.order_by("email", "name").values_list(*values))
    Enquiry.objects.all().delete()

    import_enquiries(SAMPLE, today=TODAY)

    assert list(Enquiry.objects.order_by("email", "name").values_list(*values)) == saved


def test_refused_lines_do_not_keep_the_good_ones_from_being_confirmed() -> None:
    assert not preview(SAMPLE).has_validation_errors()


def test_a_file_of_refused_lines_alone_leaves_nothing_to_confirm() -> None:
    result = preview(b"name,email\nZoe,\n")

    assert result.has_validation_errors()
    assert [row.number for row in result.invalid_rows] == [2]


def test_a_preview_shows_plain_cells_that_a_template_escapes() -> None:
    (row,) = preview(b"name,email,enquired_on\n<script>,z@b.example,01/09/2026\n").rows

    assert row.import_type == RowResult.IMPORT_TYPE_NEW
    assert row.diff == ["<script>", "z@b.example", "", "", "", "", "2026-09-01", ""]
    assert not any(hasattr(cell, "__html__") for cell in row.diff)


def test_a_line_that_is_there_already_is_skipped() -> None:
    EnquiryFactory(name="Zoe", email="Z@b.example")

    (row,) = confirm(b"name,email\n zoe ,z@b.example\n").rows

    assert row.import_type == RowResult.IMPORT_TYPE_SKIP
    assert Enquiry.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_confirmations_side_by_side_add_each_enquiry_once() -> None:
    start = Barrier(4)

    def confirm_and_close(_: int) -> str:
        start.wait()
        try:
            return confirm(SAMPLE).summary
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        summaries = list(pool.map(confirm_and_close, range(4)))

    assert len(set(summaries)) == 2
    assert Enquiry.objects.count() == 295


def test_a_confirmed_row_tells_the_log_which_enquiry_it_became() -> None:
    dataset = EnquiryCsv().create_dataset(b"name,email\nZoe,z@b.example\n")

    result = EnquiryResource().import_data(dataset, today=TODAY, retain_instance_in_row_result=True)

    assert result.rows[0].instance.pk == Enquiry.objects.get().pk


def test_a_file_that_cannot_be_used_is_refused_before_a_preview() -> None:
    with pytest.raises(UnusableFile, match="no column email"):
        EnquiryCsv().create_dataset(b"name\nZoe\n")


def test_exports_the_columns_of_the_import() -> None:
    confirm(b"name,email,date_of_birth,enquired_on\nZoe,z@b.example,09/04/2014,01/09/2026\n")

    (row,) = cells_of_export()

    assert list(row) == list(COLUMNS)
    assert row["date_of_birth"] == "2014-04-09"
    assert row["enquired_on"] == "2026-09-01"


def test_an_export_begins_with_a_mark_so_that_a_spreadsheet_reads_utf_8() -> None:
    assert export().startswith(b"\xef\xbb\xbfname,email,")


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "'=", "＝"])
def test_no_exported_cell_begins_a_formula(start: str) -> None:
    EnquiryFactory(name=f"{start}HYPERLINK(1)", note=f"{start}1")

    (row,) = cells_of_export()

    assert row["name"] == f"'{start}HYPERLINK(1)"
    assert row["note"] == f"'{start}1"


@pytest.mark.parametrize("is_on", [True, False])
def test_an_exported_file_comes_back_as_the_same_enquiries(settings, is_on: bool) -> None:
    settings.IMPORT_EXPORT_ESCAPE_FORMULAE_ON_EXPORT = is_on  # the library's own escape
    confirm(SAMPLE)
    confirm(b"name,email,phone\n'=Zoe,z@b.example,+44 7700 900123\n")

    result = preview(export())

    assert result.summary == "0 new, 296 already there, 0 refused."


def test_an_exported_file_brings_every_cell_back_as_it_was() -> None:
    confirm(SAMPLE)
    before = export()
    Enquiry.objects.all().delete()

    confirm(before)

    assert sorted(export().splitlines()) == sorted(before.splitlines())
