"""Enquiries in the admin: the CSV rules of the command, with a preview before anything is saved.

A file is read by EnquiryCsv and judged by the functions that the command uses. The library's own
escape of formulas only cuts off the first `=`, so every exported cell passes `harmless` instead.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import tablib  # type: ignore[import-untyped]
from django.core.exceptions import ValidationError
from import_export import fields, resources
from import_export.results import Result

from egac.console.export import MarkedCsv
from egac.csv_files import Record, RefusedLine, harmless
from egac.days import business_date
from invites.enquiry_csv import (
    COLUMNS,
    AlreadyThere,
    CleanEnquiry,
    Verdict,
    read_enquiries,
)
from invites.imports import BATCH, fields_of, judge_records, wait_for_other_imports
from invites.models import Enquiry


class EnquiryDataset(tablib.Dataset):
    """The rows of a file, and the records that they were read from."""

    records: list[Record]


class EnquiryCsv(MarkedCsv):
    """CSV as the command reads it; raises UnusableFile."""

    def get_read_mode(self) -> str:
        return "rb"

    def create_dataset(self, in_stream: bytes, **kwargs: Any) -> EnquiryDataset:
        records = read_enquiries(in_stream)
        dataset = EnquiryDataset(headers=list(COLUMNS))
        for record in records:
            dataset.append([record.cell(column) for column in COLUMNS])
        dataset.records = records
        return dataset


class LineRefused(ValidationError):
    """A refused line, as the library wants to hear of it."""

    def __init__(self, refused: RefusedLine) -> None:
        super().__init__(refused.reason)
        self.line = refused.line


class EnquiryResult(Result):
    """What became of each row; a refused one does not keep the good ones out."""

    def append_invalid_row(
        self, number: int, row: Mapping[str, str], validation_error: ValidationError
    ) -> None:
        """Number the row by the line of the file on which it begins."""
        line = getattr(validation_error, "line", number)
        super().append_invalid_row(line, row, validation_error)

    def has_validation_errors(self) -> bool:
        """Say whether nothing is left to confirm: the library then offers no confirmation."""
        return bool(self.invalid_rows) and not any(row.is_new() for row in self.rows)

    @property
    def refused_lines(self) -> list[str]:
        """The sentences of the command's report: `line 29: …`."""
        return [f"line {row.number}: {row.error.message}" for row in self.invalid_rows]

    @property
    def summary(self) -> str:
        counts = self.totals
        return f"{counts['new']} new, {counts['skip']} already there, {counts['invalid']} refused."


class PlainCells:
    """The cells of a preview as plain text, which the template escapes: no inline style."""

    def __init__(self, *args: Any) -> None:
        self.cells: list[str] = []

    def compare_with(self, resource: "EnquiryResource", instance: Enquiry) -> None:
        self.cells = resource.cells_of(instance)

    def as_html(self) -> list[str]:
        return self.cells


class EnquiryResource(resources.ModelResource):
    """Enquiries in and out, in the columns of the CSV file. `import_data` needs `today`."""

    date_of_birth = fields.Field(attribute="dob", column_name="date_of_birth")
    enquired_on = fields.Field(attribute="created_at", column_name="enquired_on")

    verdicts: list[Verdict]
    verdict: CleanEnquiry | AlreadyThere

    class Meta:
        model = Enquiry
        name = "Enquiries"
        fields = COLUMNS
        import_order = COLUMNS
        export_order = COLUMNS
        force_init_instance = True
        use_transactions = True
        use_bulk = True
        batch_size = BATCH

    @classmethod
    def get_result_class(cls) -> type[EnquiryResult]:
        return EnquiryResult

    @classmethod
    def get_diff_class(cls) -> type[PlainCells]:
        return PlainCells

    def before_import(self, dataset: EnquiryDataset, *, today: date, **kwargs: Any) -> None:
        wait_for_other_imports()
        self.verdicts = judge_records(dataset.records, today=today)

    def before_import_row(self, row: Any, *, row_number: int, **kwargs: Any) -> None:
        verdict = self.verdicts[row_number - 1]
        if isinstance(verdict, RefusedLine):
            raise LineRefused(verdict)
        self.verdict = verdict

    def import_instance(self, instance: Enquiry, row: Any, **kwargs: Any) -> None:
        verdict = self.verdict
        clean = verdict.enquiry if isinstance(verdict, AlreadyThere) else verdict
        for name, value in fields_of(clean).items():
            setattr(instance, name, value)

    def skip_row(self, *args: Any, **kwargs: Any) -> bool:
        return isinstance(self.verdict, AlreadyThere)

    def cells_of(self, enquiry: Enquiry) -> list[str]:
        """Return the cells of an enquiry in the order of the columns."""
        return [cell_of(field, enquiry) for field in self.get_import_fields()]

    def export_field(self, field: fields.Field, instance: Enquiry, **kwargs: Any) -> str:
        return harmless(cell_of(field, instance))


def cell_of(field: fields.Field, enquiry: Enquiry) -> str:
    """Return what stands in the file; an instant that the database is to set is empty."""
    value = field.get_value(enquiry)
    if isinstance(value, datetime):
        value = business_date(value)
    return str(value) if isinstance(value, str | date) else ""
