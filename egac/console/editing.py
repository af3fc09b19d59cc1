"""Forms of rows: one that was left open undoes nobody's change, and the log keeps what was what."""

import json
from hashlib import sha256
from typing import Any

from django import forms
from django.contrib.admin import ModelAdmin
from django.http import HttpRequest

from egac.staff import CHANGED_MEANWHILE

SEEN = "seen"  # the hidden box that holds how the row stood
STALE = f"Nothing was saved: it was {CHANGED_MEANWHILE}. Open it again to see how."
LONGEST_VALUE = 60


class SeenForm(forms.ModelForm):
    """A form that knows how its row stood as the page was opened, and refuses another state."""

    seen = forms.CharField(widget=forms.HiddenInput, required=False)

    def version(self) -> str:
        """Return what changes whenever somebody changes what this form shows.

        What it does not show may change meanwhile: a website writes into the same row.
        """
        shown = {name: _plain(self.initial.get(name)) for name in sorted({*self.fields} - {SEEN})}
        return sha256(json.dumps(shown).encode()).hexdigest()

    def get_initial_for_field(self, field: forms.Field, field_name: str) -> Any:
        if field_name == SEEN:
            return "" if self.instance._state.adding else self.version()
        return super().get_initial_for_field(field, field_name)

    def clean_seen(self) -> str:
        """Lock the row until it is saved, and refuse it where it is not as it was seen."""
        seen: str = self.cleaned_data[SEEN]
        if not self.instance._state.adding and seen != self._version_now():
            self.add_error(None, STALE)
        return seen

    def _version_now(self) -> str:
        rows = type(self.instance)._base_manager.select_for_update()
        row = rows.filter(pk=self.instance.pk).first()
        return type(self)(instance=row).version() if row else ""


class StampedForm(SeenForm):
    """The same for rows that say when they last changed: whatever changed in them counts."""

    def version(self) -> str:
        stamp: str = self.instance.updated_at.isoformat()
        return stamp


class EditingAdmin(ModelAdmin):
    """Rows that are changed on a SeenForm."""

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Add the hidden box to the form of a row that may be changed."""
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None or not self.has_change_permission(request, obj):
            return fieldsets
        *others, (title, options) = fieldsets
        return [*others, (title, {**options, "fields": [*options["fields"], SEEN]})]

    def construct_change_message(
        self, request: HttpRequest, form: Any, formsets: Any, add: bool = False
    ) -> Any:
        """Keep in the history of a row what each value was and what it is now."""
        if add or not isinstance(form, SeenForm):  # a form of Django's own holds a new password
            return super().construct_change_message(request, form, formsets, add)
        changes = [
            f"{form[name].label}: "
            f"{change_in_words(form.initial.get(name), form.cleaned_data.get(name))}"
            for name in form.changed_data
        ]
        return f"Changed {', '.join(changes)}." if changes else "Nothing changed."


def change_in_words(old: Any, new: Any) -> str:
    """Return what a value was and what it is now; of several, which were added and taken away."""
    if not isinstance(old, list):
        return f"{shown_in_history(old)} → {shown_in_history(new)}"
    before, after = {str(each) for each in old}, {str(each) for each in new or ()}
    changes = (("added", after - before), ("took away", before - after))
    return "; ".join(f"{did} {', '.join(sorted(which))}" for did, which in changes if which)


def shown_in_history(value: Any) -> str:
    """Return a value of a form as the history of a row says it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = "nothing" if value in (None, "") else str(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"


def _plain(value: Any) -> Any:
    """Return a value of a form as a text; of rows, which have no order, their keys."""
    if isinstance(value, list | tuple):
        return sorted(str(getattr(each, "pk", each)) for each in value)
    return str(value)
