"""What a person may ask of a run, before pressing its button."""

from copy import deepcopy
from typing import Any

from django import forms

from egac.console.widgets import DAYS_TO_NAME, ReasonBox
from jobs.command import JobCommand

FIELDS: dict[str, forms.Field] = {
    "date": forms.DateField(
        label="As if today were",
        required=False,
        validators=DAYS_TO_NAME,
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text="Empty: today. A day that was missed is caught up by the next run anyway.",
    ),
    # A button of its own: what a press would do is looked at before it.
    "dry_run": forms.BooleanField(required=False, widget=forms.HiddenInput),
    "force": forms.BooleanField(
        label="Although it was done today",
        required=False,
        help_text="Run it once more. Nothing is billed or sent twice by that.",
    ),
    "force_invoke": forms.BooleanField(
        label="Look further ahead",
        required=False,
        help_text="Take the classes of the next 48 hours.",
    ),
    "limit": forms.IntegerField(
        label="How many at most",
        required=False,
        min_value=1,
        max_value=1000,
        help_text="Empty: as many as go within the time that a page waits.",
    ),
}


class RunForm(forms.Form):
    """The options of a job that a person chooses; of others a run takes the defaults."""

    def __init__(self, command: JobCommand, data: Any = None, *, on: str = "") -> None:
        super().__init__(data, initial={"date": on})
        takes = command.options()
        self.fields = {name: deepcopy(each) for name, each in FIELDS.items() if name in takes}
        help_text = "It stands in the history, for example “the last run failed”."
        self.fields["reason"] = ReasonBox(required=False, help_text=help_text)

    @property
    def asked(self) -> dict[str, Any]:
        """Return the options that were chosen."""
        chosen = {name: value for name, value in self.cleaned_data.items() if value}
        chosen.pop("reason", None)
        return chosen


class PauseForm(forms.Form):
    """Why a job is paused or resumed."""

    reason = ReasonBox(
        required=True,
        help_text="It stands in the history, for example “the bank closes the books tonight”.",
    )
