"""Customers, bookings and classes as files for a spreadsheet."""

from bookings.models import Booking, ClassSession, Customer
from egac.console.export import HarmlessResource, column


class CustomerResource(HarmlessResource):
    """How each customer is reached."""

    agreed = column("whatsapp_opted_in_at", "whatsapp_opted_in_at")

    class Meta:
        model = Customer
        name = "Customers"
        fields = export_order = (
            "id",
            "name",
            "email",
            "phone",
            "agreed",
            "address",
            "note",
            "reference",
        )


class BookingResource(HarmlessResource):
    """What each customer booked, on which terms, and where it stands."""

    customer = column("customer", "customer__name")
    email = column("email", "customer__email")
    package = column("package", "package__name")

    class Meta:
        model = Booking
        name = "Bookings"
        fields = export_order = (
            "id",
            "reference",
            "customer",
            "email",
            "package",
            "plan",
            "status",
            "access_status",
            "price",
            "currency",
            "weekdays",
            "starts_at_time",
            "billing_anchor_on",
            "billed_through_on",
            "created_at",
        )


class SessionResource(HarmlessResource):
    """Which class is when, who gives it, and how many came. Its links are left out."""

    package = column("package", "package__name")
    instructor = column("instructor", "instructor__name")
    places = column("places", "places")
    attended = column("attended", "attended")

    class Meta:
        model = ClassSession
        name = "Classes"
        fields = export_order = (
            "id",
            "title",
            "package",
            "instructor",
            "starts_at",
            "ends_at",
            "status",
            "is_online",
            "places",
            "attended",
        )
