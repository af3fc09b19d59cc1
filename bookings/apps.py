from django.apps import AppConfig


class BookingsConfig(AppConfig):
    """Customers, what they booked, their classes, and who may come in."""

    name = "bookings"

    def ready(self) -> None:
        from bookings.consent import agreed_among
        from bookings.correspondence import messages_of
        from bookings.history import actions_on, bookings_of, classes_of
        from bookings.notices import BOOKING_STANDS, CLASS_IS_AHEAD
        from bookings.relevance import why_booking_fell, why_class_fell
        from bookings.timeline import add_to_timeline
        from notifications.services import register_consent, register_relevance

        register_consent(agreed_among)
        register_relevance(BOOKING_STANDS, why_booking_fell)
        register_relevance(CLASS_IS_AHEAD, why_class_fell)
        for source in (bookings_of, classes_of, messages_of, actions_on):
            add_to_timeline(source)
