"""What staff may type: an enquiry's contact data, whom to invite, a file of enquiries."""

from typing import Any

from django import forms
from django.contrib.admin.widgets import AdminDateWidget
from django.core import signing
from import_export.forms import ConfirmImportForm, ImportForm

from egac.console.editing import SeenForm
from egac.console.export import FileForm
from invites.enquiry_csv import key_of
from invites.imports import known_keys
from invites.models import Enquiry, Invite

SALT = "invites.import"


def line(label: str, **more: Any) -> forms.CharField:
    """Return an optional field of one line; an empty one is stored as NULL."""
    widget = forms.TextInput(attrs={"class": "vTextField"})
    return forms.CharField(label=label, required=False, empty_value=None, widget=widget, **more)


class EnquiryForm(SeenForm):
    """Who asked, how to reach them, and what about."""

    name = forms.CharField(widget=forms.TextInput(attrs={"class": "vTextField"}))
    email = forms.EmailField(label="E-mail", widget=forms.EmailInput(attrs={"class": "vTextField"}))
    phone = line("Phone")
    dob = forms.DateField(label="Date of birth", required=False, widget=AdminDateWidget)
    interest = line("Interest")
    source = line("Source", help_text="How they found the club.")
    note = forms.CharField(
        required=False,
        empty_value=None,
        widget=forms.Textarea(attrs={"rows": 4, "class": "vLargeTextField"}),
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        name, email = cleaned.get("name"), cleaned.get("email")
        is_new = self.instance._state.adding
        if is_new and name and email and key_of(name, email) in known_keys({email.lower()}):
            raise forms.ValidationError(
                f"There is an enquiry of {name} with {email} already. Open that one instead."
            )
        return cleaned


class InviteForm(forms.ModelForm):
    """Whom to invite."""

    def clean_enquiry(self) -> Enquiry:
        enquiry: Enquiry = self.cleaned_data["enquiry"]
        status = Invite.Status
        waiting = enquiry.invites.filter(status__in=[status.PENDING, status.PROCESSING])
        if waiting.exists():
            raise forms.ValidationError(
                "An invite to this person waits to be sent already. Open that one instead."
            )
        return enquiry


class CsvForm(ImportForm):
    """The file to read. There is one format, so nobody has to choose it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["import_file"].widget.attrs["accept"] = ".csv,text/csv"
        self.fields["format"].widget = forms.HiddenInput()


class CsvConfirmForm(ConfirmImportForm):
    """The file as it was previewed. Its name is signed, so that it names no other file."""

    def clean_import_file_name(self) -> str:
        try:
            return str(signing.loads(self.cleaned_data["import_file_name"], salt=SALT))
        except signing.BadSignature:
            raise forms.ValidationError("This is no file that was previewed.") from None


class CsvExportForm(FileForm):
    """Every column, in the one format."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["format"].widget = forms.HiddenInput()
