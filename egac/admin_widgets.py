"""Boxes of forms."""

from typing import Any

from django import forms
from django.contrib.admin.widgets import AutocompleteSelect


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
