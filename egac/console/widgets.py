"""Boxes of forms, and which days may be typed into them."""

from datetime import datetime
from typing import Any

from django import forms
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.validators import MaxValueValidator, MinValueValidator

from egac.console.confirming import LONGEST_REASON, NO_REASON
from egac.days import FIRST_DAY, LAST_DAY, start_of

DAYS_TO_NAME = [MinValueValidator(FIRST_DAY), MaxValueValidator(LAST_DAY)]


def first_instant() -> datetime:
    return start_of(FIRST_DAY)


def last_instant() -> datetime:
    return start_of(LAST_DAY)


# Asked for when a form is read: the club's zone is a setting.
INSTANTS_TO_NAME = [MinValueValidator(first_instant), MaxValueValidator(last_instant)]


class ReasonBox(forms.CharField):
    """A box for why somebody does something; it stands in the log."""

    def __init__(self, *, required: bool, help_text: str) -> None:
        super().__init__(
            label="Why?" if required else "Why? (may stay empty)",
            required=required,
            max_length=LONGEST_REASON,
            widget=forms.TextInput(attrs={"class": "vTextField"}),
            help_text=help_text,
            error_messages={"required": NO_REASON},
        )


class SearchBox(AutocompleteSelect):
    """A box to search a row in, with words in it: an empty one has no name for a reader."""

    words = "Search a name or an address"

    def build_attrs(
        self, base_attrs: dict[str, Any], extra_attrs: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        attributes = super().build_attrs(base_attrs, extra_attrs)
        return {**attributes, "data-placeholder": self.words}

    @property
    def media(self) -> forms.Media:
        return super().media + forms.Media(js=["admin/js/autocomplete.js", "egac/search_box.js"])
