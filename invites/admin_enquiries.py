"""Enquiries in the admin: who asked, contact data, and CSV files in and out."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.models import ADDITION, LogEntry
from django.core import signing
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from import_export.admin import ImportExportMixin
from import_export.formats.base_formats import CSV
from import_export.results import Result

from egac.console.editing import EditingAdmin
from egac.console.export import ExportedAdmin
from egac.console.records import badge, moment
from egac.console.search import SearchedAdmin, uuid_in
from egac.csv_files import UnusableFile
from egac.people_in_tables import found_among
from invites.admin_forms import SALT, CsvConfirmForm, CsvExportForm, CsvForm, EnquiryForm
from invites.models import Enquiry, Invite
from invites.resources import EnquiryCsv, EnquiryResource

TONES: dict[str, str] = {
    Invite.Status.PENDING: "waiting",
    Invite.Status.PROCESSING: "moving",
    Invite.Status.SENT: "good",
    Invite.Status.ACCEPTED: "best",
    Invite.Status.FAILED: "bad",
    Invite.Status.CANCELLED: "off",
}
MOST_SHOWN = 100  # lines of a preview


class InvitesOfAnEnquiry(admin.TabularInline):
    """What an enquiry was answered with."""

    model = Invite
    fk_name = "enquiry"
    fields = readonly_fields = ("state", "created", "sent")
    extra = max_num = 0
    can_delete = False
    show_change_link = True
    ordering = ("-created_at",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Invite]:
        return super().get_queryset(request).select_related("enquiry")  # each line names it

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description="status")
    def state(self, invite: Invite) -> SafeString:
        return badge(invite.get_status_display(), TONES[invite.status])

    @admin.display(description="created")
    def created(self, invite: Invite) -> SafeString | str:
        return moment(invite.created_at)

    @admin.display(description="sent")
    def sent(self, invite: Invite) -> SafeString | str:
        return moment(invite.sent_at)


class EnquiryAdmin(ExportedAdmin, ImportExportMixin, EditingAdmin, SearchedAdmin):
    """Enquiries: contact data can be changed; what they wrote stands beside it."""

    form = EnquiryForm
    resource_classes = [EnquiryResource]
    formats: list[type[CSV]] = [EnquiryCsv]
    import_form_class = CsvForm
    confirm_form_class = CsvConfirmForm
    export_form_class = CsvExportForm
    inlines = (InvitesOfAnEnquiry,)
    fields = ("name", "email", "phone", "dob", "interest", "source", "note")
    list_display = ("name_or_none", "email", "phone", "interest", "invited", "enquired")
    sortable_by = ("enquired",)
    search_help_text = "The beginnings of a name, a whole address or number, or an id."
    ordering = ("-created_at", "pk")
    empty_sentence = "Enquiries show here. Import a CSV file, or add the first one by hand."

    def get_queryset(self, request: HttpRequest) -> QuerySet[Enquiry]:
        invites = Invite.objects.filter(enquiry=OuterRef("pk")).order_by("-created_at")
        latest = Subquery(invites.values("status")[:1])
        return super().get_queryset(request).annotate(invite_status=latest)

    def found_by(self, request: HttpRequest, term: str) -> Q:
        as_id = uuid_in(term)
        return Q(pk=as_id) if as_id else found_among(Enquiry.objects.all(), term)

    @admin.display(description="name", ordering="name")
    def name_or_none(self, enquiry: Enquiry) -> str:
        return enquiry.name or "No name"

    @admin.display(description="invite")
    def invited(self, enquiry: Any) -> SafeString | str:
        if not enquiry.invite_status:
            return "not invited"
        status = Invite.Status(enquiry.invite_status)
        return badge(str(status.label), TONES[status])

    @admin.display(description="enquired", ordering="created_at")
    def enquired(self, enquiry: Enquiry) -> SafeString | str:
        return moment(enquiry.created_at)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Enquiry, form: Any, change: bool) -> None:
        """Save what was typed and nothing else: the website may write the rest meanwhile."""
        obj.save(update_fields=form.changed_data) if change else obj.save()

    # Files in

    def has_import_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("invites.import_enquiry"))

    def get_import_data_kwargs(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_import_data_kwargs(**kwargs), "today": timezone.localdate()}  # noqa: TID251  a page reads the clock

    def get_confirm_form_initial(self, request: HttpRequest, import_form: Any) -> dict[str, Any]:
        initial = super().get_confirm_form_initial(request, import_form)
        if initial:
            initial["import_file_name"] = signing.dumps(initial["import_file_name"], salt=SALT)
        return initial

    def add_data_read_fail_error_to_form(self, form: CsvForm, error: Exception) -> None:
        if not isinstance(error, UnusableFile):
            raise error
        form.add_error("import_file", str(error))

    def import_action(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        response = super().import_action(request, **kwargs)
        response.context_data["title"] = "Import enquiries"
        if result := response.context_data.get("result"):
            response.context_data.update(preview_of(result))
        return response

    def process_import(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        try:
            return super().process_import(request, **kwargs)
        except FileNotFoundError:
            messages.warning(request, "Nothing was imported: the file is gone. Choose it again.")
            return HttpResponseRedirect(reverse("admin:invites_enquiry_import"))

    def generate_log_entries(self, result: Result, request: HttpRequest) -> None:
        new = [row.instance for row in result if row.is_new()]
        if new:
            what = f"Imported from a CSV file: {result.summary}"
            LogEntry.objects.log_actions(request.user.pk, new, ADDITION, what)  # type: ignore[arg-type]

    def add_success_message(self, result: Result, request: HttpRequest) -> None:
        level = messages.SUCCESS if result.totals["new"] else messages.WARNING
        messages.add_message(request, level, f"Import finished: {result.summary}")


def preview_of(result: Any) -> dict[str, Any]:
    """Return what the page shows of a file before anything is saved."""
    new = [row for row in result.rows if row.is_new()]
    return {
        "summary": result.summary,
        "new_lines": [
            list(zip(result.diff_headers, row.diff, strict=True)) for row in new[:MOST_SHOWN]
        ],
        "more_new": max(0, len(new) - MOST_SHOWN),
        "refused": result.refused_lines[:MOST_SHOWN],
        "more_refused": max(0, len(result.refused_lines) - MOST_SHOWN),
    }
