"""What staff may type of invoices: what came in, and an invoice of their own words."""

from datetime import date
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin
from django.forms import formset_factory

from billing.models import Invoice, Payment
from billing.services import Received, Written
from bookings.models import Booking
from egac.console.widgets import DAYS_TO_NAME, SearchBox
from egac.money import in_words

MOST_LINES = 5
A_PENNY = Decimal("0.01")


class DayInput(forms.DateInput):
    """A box with the browser's own calendar."""

    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d")


class PaymentForm(forms.Form):
    """How much came in, when and how."""

    amount = forms.DecimalField(
        min_value=A_PENNY,
        max_digits=10,
        decimal_places=2,
        error_messages={"min_value": "Write what came in: 0.01 at least."},
    )
    paid_on = forms.DateField(
        label="Day",
        widget=DayInput,
        validators=DAYS_TO_NAME,
        help_text="On which it came in.",
    )
    method = forms.ChoiceField(choices=Payment.Method.choices)
    reference = forms.CharField(
        required=False,
        max_length=200,
        widget=forms.TextInput(attrs={"class": "vTextField"}),
        help_text="As the bank's list names it; it may stay empty.",
    )

    def __init__(self, data: Any = None, *, invoice: Invoice, on: date) -> None:
        initial = {"amount": invoice.left_to_pay, "paid_on": on}
        super().__init__(data, initial=initial)
        self.on = on
        left = in_words(invoice.left_to_pay, invoice.currency)
        self.fields["amount"].help_text = f"In {invoice.currency}; {left} is left to pay."

    def clean_paid_on(self) -> date:
        paid_on: date = self.cleaned_data["paid_on"]
        if paid_on > self.on:
            raise forms.ValidationError("That day is still to come: write when it came in.")
        return paid_on


def received(typed: Any, *, currency: str) -> Received:
    """Return what was typed as the service takes it."""
    return Received(
        amount=typed["amount"],
        currency=currency,
        paid_on=typed["paid_on"],
        method=Payment.Method(typed["method"]),
        reference=typed["reference"],
    )


class IssueForm(forms.Form):
    """For whom, and until when it is to be paid."""

    booking = forms.ModelChoiceField(
        Booking.objects.all(), widget=SearchBox(Invoice._meta.get_field("booking"), admin.site)
    )
    due_on = forms.DateField(label="Due on", widget=DayInput, validators=DAYS_TO_NAME)

    def __init__(self, *args: Any, on: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.on = on

    def clean_due_on(self) -> date:
        due_on: date = self.cleaned_data["due_on"]
        if due_on < self.on:
            raise forms.ValidationError("That day is over: an invoice is due today or later.")
        return due_on


class LineForm(forms.Form):
    """One line of an invoice; an empty one is left out."""

    description = forms.CharField(
        max_length=200, widget=forms.TextInput(attrs={"class": "vTextField"})
    )
    quantity = forms.IntegerField(min_value=1, max_value=999, initial=1)
    unit_price = forms.DecimalField(
        label="Price of one", min_value=0, max_digits=10, decimal_places=2
    )

    def written(self) -> Written:
        """Return the line as the service takes it."""
        typed = self.cleaned_data
        return Written(typed["description"], typed["unit_price"], typed["quantity"])


LineForms = formset_factory(
    LineForm, extra=MOST_LINES - 1, min_num=1, max_num=MOST_LINES, validate_min=True
)
