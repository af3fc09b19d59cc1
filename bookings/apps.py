from django.apps import AppConfig


class BookingsConfig(AppConfig):
    """Customers, what they booked, their classes, and who may come in."""

    name = "bookings"

    def ready(self) -> None:
        from bookings.consent import agreed_among
        from notifications.services import register_consent

        register_consent(agreed_among)
