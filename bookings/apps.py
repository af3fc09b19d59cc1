from django.apps import AppConfig


class BookingsConfig(AppConfig):
    """Customers, what they booked, their classes, and who may come in."""

    name = "bookings"
