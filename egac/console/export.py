"""Rows of the admin as a file for a spreadsheet, which then runs nothing of what people typed.

The library's own escape of formulas only cuts off the first `=`, so every exported text passes
`harmless` instead.
"""

from datetime import datetime, time
from decimal import Decimal
from typing import Any

import tablib  # type: ignore[import-untyped]
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.http import HttpRequest
from django.utils.timezone import localtime
from import_export import fields, resources
from import_export.admin import ExportMixin
from import_export.formats.base_formats import CSV, XLSX
from import_export.forms import ExportForm

from egac.console.confirming import with_reason
from egac.console.masking import SEE
from egac.console.widgets import ReasonBox
from egac.csv_files import harmless


class MarkedCsv(CSV):
    """CSV in UTF-8 with a mark, by which spreadsheets know it."""

    def is_binary(self) -> bool:
        return True

    def export_data(self, dataset: tablib.Dataset, **kwargs: Any) -> bytes:
        return str(dataset.export("csv", **kwargs)).encode("utf-8-sig")


class HarmlessResource(resources.ModelResource):
    """Rows out, each value as `cell_of` writes it."""

    def export_field(self, field: fields.Field, instance: Any, **kwargs: Any) -> Any:
        return cell_of(field.get_value(instance))


def cell_of(value: Any) -> Any:
    """Return a value for a spreadsheet: times with the club's zone, numbers to be added up."""
    if value is None or isinstance(value, bool):
        return {None: "", True: "yes", False: "no"}[value]
    if isinstance(value, datetime):
        return f"{localtime(value):%Y-%m-%d %H:%M %Z}"
    if isinstance(value, time):
        return f"{value:%H:%M}"
    if isinstance(value, Decimal | int):
        return value
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return harmless(str(value))


def column(name: str, attribute: str) -> fields.Field:
    """Return a column of a file, and which attribute of a row stands there."""
    return fields.Field(column_name=name, attribute=attribute)


class FileForm(ExportForm):
    """Every column, in the format that is chosen, and why the file is taken."""

    reason = ReasonBox(
        required=False, help_text="It stands in the history, for example “for the tax adviser”."
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["format"].label = "File format"


class ExportedAdmin(ExportMixin):
    """A list that can be taken as a file by who may; who took it stands in the log."""

    formats: list[type[Any]] = [MarkedCsv, XLSX]
    export_form_class = FileForm

    def has_export_permission(self, request: HttpRequest) -> bool:
        may = f"{self.opts.app_label}.export_{self.opts.model_name}"
        return bool(request.user.has_perms([may, SEE]))

    def _do_file_export(
        self, file_format: Any, request: HttpRequest, queryset: Any, export_form: Any
    ) -> Any:
        response = super()._do_file_export(file_format, request, queryset, export_form)
        rows = self.opts.verbose_name_plural
        kind = file_format.get_extension().upper()
        what = f"Exported {queryset.count()} {rows} to a {kind} file."
        LogEntry.objects.create(
            user_id=request.user.pk,  # type: ignore[misc]
            content_type=ContentType.objects.get_for_model(self.model),
            object_repr=str(rows).capitalize(),
            action_flag=CHANGE,
            change_message=with_reason(what, export_form.cleaned_data["reason"]),
        )
        return response
