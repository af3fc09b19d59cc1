from django.apps import AppConfig


class BillingConfig(AppConfig):
    """Invoices, payments and reminders."""

    name = "billing"

    def ready(self) -> None:
        from billing.access_words import ACCESS_AS_TOLD, why_access_differs
        from billing.words import STILL_TO_PAY, why_not_to_pay
        from notifications.services import register_relevance

        register_relevance(STILL_TO_PAY, why_not_to_pay)
        register_relevance(ACCESS_AS_TOLD, why_access_differs)
