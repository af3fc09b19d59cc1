from django.apps import AppConfig


class BookingsConfig(AppConfig):
    """Customers, what they booked, their classes, and who may come in."""

    name = "bookings"

    def ready(self) -> None:
        from bookings.consent import OWNERS
        from bookings.history import bookings_of, classes_of, customers_of
        from bookings.models import Customer
        from bookings.notices import BOOKING_STANDS, CLASS_IS_AHEAD
        from bookings.relevance import (
            bookings_named,
            classes_named,
            why_booking_fell,
            why_class_fell,
        )
        from egac.console.navigation import Shortcut, register_shortcut
        from egac.people import Part, register_part, register_people
        from egac.people_in_tables import PeopleIn
        from notifications.services import register_consent, register_relevance

        register_consent(OWNERS)
        register_relevance(BOOKING_STANDS, why_booking_fell, look_up=bookings_named)
        register_relevance(CLASS_IS_AHEAD, why_class_fell, look_up=classes_named)
        register_people("customer", PeopleIn(Customer))
        register_part(Part("customers", "bookings.view_customer", customers_of))
        register_part(Part("events of bookings", "bookings.view_booking", bookings_of))
        classes = "admin:bookings_classsession_changelist"
        register_shortcut(Shortcut("Classes", classes, "bookings.view_classsession", 50))
        register_part(Part("classes", "bookings.view_classsession", classes_of))
