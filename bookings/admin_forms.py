"""What staff may type of customers, bookings and classes."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.admin.widgets import AdminEmailInputWidget, AdminTextareaWidget

from bookings.booking import twin_of
from bookings.booking_csv import DAYS
from bookings.enrolling import why_not_enrolled
from bookings.models import Booking, ClassPackage, ClassSession, Customer, Enrolment, Plan
from egac.console.editing import SeenForm, StampedForm
from egac.console.widgets import DAYS_TO_NAME, INSTANTS_TO_NAME
from egac.numbers import in_e164

LONGEST_CLASS = timedelta(hours=12)
WEEKDAYS = [(number, day.capitalize()) for number, day in enumerate(DAYS, 1)]


def instant_box(label: str, **more: Any) -> forms.DateTimeField:
    """Return a box for a day and a time: one box, for two would share one label."""
    widget = forms.DateTimeInput(format="%Y-%m-%dT%H:%M", attrs={"type": "datetime-local"})
    return forms.DateTimeField(label=label, widget=widget, validators=INSTANTS_TO_NAME, **more)


class CustomerForm(SeenForm):
    """Who it is, and how they may be reached."""

    email = forms.EmailField(label="E-mail", required=False, widget=AdminEmailInputWidget)
    agreed = forms.BooleanField(
        label="Agreed to WhatsApp",
        required=False,
        help_text="Only tick it when they said so: without it WhatsApp is never used.",
    )
    address = forms.CharField(
        label="Postal address", required=False, widget=AdminTextareaWidget(attrs={"rows": 3})
    )
    note = forms.CharField(required=False, widget=AdminTextareaWidget(attrs={"rows": 4}))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["agreed"] = self.instance.whatsapp_opted_in_at is not None

    def clean_email(self) -> str:
        return str(self.cleaned_data["email"]).lower()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("agreed") and not in_e164(cleaned.get("phone", "")):
            self.add_error("phone", "WhatsApp needs a number: write it like +44 7700 900123.")
        name, email = cleaned.get("name"), cleaned.get("email")
        same = Customer.objects.filter(name__iexact=name, email__iexact=email)
        if self.instance._state.adding and name and email and same.exists():
            raise forms.ValidationError(
                f"There is a customer {name} with {email} already. Open that one instead."
            )
        return cleaned


class BookingForm(StampedForm):
    """What somebody books. Of an empty price and currency the package's are taken."""

    weekdays = forms.TypedMultipleChoiceField(
        choices=WEEKDAYS, coerce=int, required=False, widget=forms.CheckboxSelectMultiple
    )
    price = forms.DecimalField(
        min_value=0,
        max_digits=10,
        decimal_places=2,
        required=False,
        help_text="Of a month or of a class, without tax. Empty: the price of the package.",
    )
    currency = forms.CharField(
        max_length=3, required=False, help_text="Empty: the currency of the package."
    )

    class Meta:
        help_texts = {
            "billing_anchor_on": "The first billing date; its day of the month is the billing day.",
            "billed_through_on": "The last day that is billed already. Empty: none yet, so a "
            "monthly booking is billed from its anchor on.",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in {"billing_anchor_on", "billed_through_on"} & self.fields.keys():
            self.fields[name].validators += DAYS_TO_NAME

    def clean_currency(self) -> str:
        return str(self.cleaned_data["currency"]).upper()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        package: ClassPackage | None = cleaned.get("package")
        if not cleaned.get("currency"):
            cleaned["currency"] = package.currency if package else settings.BILLING_CURRENCY
        if cleaned.get("price") is None and package and package.currency == cleaned["currency"]:
            cleaned["price"] = package.price
        if cleaned.get("plan") == Plan.MONTHLY and not cleaned.get("billing_anchor_on"):
            self.add_error("billing_anchor_on", "A monthly booking needs its first billing date.")
        if twin := self._twin(cleaned):
            self.add_error(
                None, f"The customer has this booking already: number {twin.pk}. Open that."
            )
        return cleaned

    def _twin(self, cleaned: dict[str, Any]) -> Booking | None:
        """Return the same booking of the same customer, if there is another."""
        if not self.instance.pk and not cleaned.get("customer"):
            return None
        return twin_of(
            Booking(
                pk=self.instance.pk,
                customer=cleaned.get("customer") or self.instance.customer,
                package=cleaned.get("package"),
                plan=cleaned.get("plan", ""),
                weekdays=cleaned.get("weekdays", []),
                starts_at_time=cleaned.get("starts_at_time"),
            )
        )


class SessionForm(StampedForm):
    """One class at one time, on the club's clock."""

    starts_at = instant_box("Starts")
    ends_at = instant_box("Ends", required=False)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        starts_at: datetime | None = cleaned.get("starts_at")
        ends_at: datetime | None = cleaned.get("ends_at")
        if starts_at and ends_at and ends_at <= starts_at:
            self.add_error("ends_at", "It has to end after it starts.")
        elif starts_at and ends_at and ends_at - starts_at > LONGEST_CLASS:
            self.add_error("ends_at", "No class is longer than 12 hours: correct the day.")
        if cleaned.get("is_online") and not ends_at:
            self.add_error("ends_at", "A class online needs an end, so that it can be held.")
        self._keep_the_meeting()
        return cleaned

    def _keep_the_meeting(self) -> None:
        """Refuse another time for a class whose meeting is made."""
        fixed = {"starts_at", "ends_at", "is_online"} & set(self.changed_data)
        if self.instance.meeting_id and fixed:
            raise forms.ValidationError(
                "Its Zoom meeting is made, and everyone enrolled has the link: the time stays. "
                "Cancel this class and add another."
            )


class EnrolmentForm(forms.ModelForm):
    """Whose booking gets a place in which class."""

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        booking: Booking | None = cleaned.get("booking")
        session: ClassSession | None = cleaned.get("session")
        if booking and (why := why_not_enrolled(booking)):
            self.add_error("booking", f"This booking is {why}, so it has no place in a class.")
        if session and session.status == ClassSession.Status.CANCELLED:
            self.add_error("session", "This class is cancelled.")
        there = Enrolment.objects.filter(booking=booking, session=session)
        if booking and session and there.exists():
            self.add_error("booking", "This booking has a place in that class already.")
        return cleaned
