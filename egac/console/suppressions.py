"""Whom not to write to: an entry is added and lifted, each for a reason, and never edited."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.models import DELETION
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Lower
from django.db.models.lookups import Exact
from django.http import HttpRequest
from django.utils.safestring import SafeString

from egac.console.actions import ActingAdmin, Line, Press, StaffAction
from egac.console.records import moment
from egac.console.search import SearchedAdmin
from egac.delivery import Suppression
from egac.staff import CHANGED_MEANWHILE, GONE, Changed

LIFT = StaffAction(
    "lift",
    "Lift",
    "egac.delete_suppression",
    "They are written to again from now on. What was not sent meanwhile stays unsent until "
    "somebody retries it.",
    needs_reason=True,
    asks_number=True,
    removes=True,
    reason_help="It stands in the log of staff actions, for example “her mailbox works again”.",
)


class SuppressionForm(forms.ModelForm):
    """An address that is not to be written to, and why."""

    address = forms.EmailField(max_length=254)
    reason = forms.CharField(
        max_length=200, help_text="Who asked for it, and when: the next person will want to know."
    )

    def clean_address(self) -> str:
        address = str(self.cleaned_data["address"]).lower()
        if Suppression.objects.filter(address__iexact=address).exists():
            raise forms.ValidationError("This address is suppressed already.")
        return address


class SuppressionAdmin(SearchedAdmin, ActingAdmin):
    """Whom not to write to. An entry is added and lifted, never edited."""

    staff_actions = (LIFT,)
    form = SuppressionForm
    fields = ("address", "reason")
    list_display = ("address", "reason", "since")
    search_help_text = "A whole address."
    ordering = ("-created_at",)
    empty_sentence = "Addresses that must not be written to show here: bounces, complaints, wishes."

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.has_perm("egac.add_suppression"))

    def found_by(self, request: HttpRequest, term: str) -> Q:
        return Q(Exact(Lower("address"), term.lower()))

    @admin.display(description="since", ordering="created_at")
    def since(self, row: Suppression) -> SafeString | str:
        return moment(row.created_at)

    # The button

    def why_not(self, action: StaffAction, row: Suppression) -> str:
        return ""

    def lines_of(self, action: StaffAction, rows: list[Suppression]) -> list[Line]:
        return [Line(row.address, row.reason) for row in rows]

    def version_of(self, row: Suppression) -> str:
        return row.created_at.isoformat()

    def perform(self, request: HttpRequest, press: Press) -> tuple[int, str]:
        with transaction.atomic():
            rows = list(Suppression.objects.filter(pk__in=press.seen).select_for_update())
            ours = [row for row in rows if press.seen[row.pk] == self.version_of(row)]
            self.log(request, ours, press.told(len(ours)), flag=DELETION)
            Suppression.objects.filter(pk__in=[row.pk for row in ours]).delete()
        left = {CHANGED_MEANWHILE: len(rows) - len(ours), GONE: len(press.seen) - len(rows)}
        skipped = {why: count for why, count in left.items() if count}
        sentence = Changed(len(ours), skipped).sentence("lifted")
        if not ours:
            return messages.WARNING, sentence
        level = messages.WARNING if skipped else messages.SUCCESS
        return level, f"{sentence} What was not sent meanwhile: retry it in Invites or the Queue."
