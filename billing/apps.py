from django.apps import AppConfig


class BillingConfig(AppConfig):
    """Invoices, payments and reminders."""

    name = "billing"
