from django.apps import AppConfig


class BillingConfig(AppConfig):
    """Invoices, payments and reminders."""

    name = "billing"

    def ready(self) -> None:
        from billing.access_words import ACCESS_AS_TOLD, access_named, why_access_differs
        from billing.asked_for import note_on_invoices
        from billing.history import invoices_of
        from billing.watching import FIXES, watch_billing
        from billing.words import STILL_TO_PAY, invoices_named, why_not_to_pay
        from bookings.services import register_note
        from egac.console.navigation import Shortcut, register_shortcut
        from egac.people import Part, register_part
        from jobs.fixes import register_fixes
        from jobs.watchers import register_watcher
        from notifications.services import register_relevance

        register_relevance(STILL_TO_PAY, why_not_to_pay, look_up=invoices_named)
        register_relevance(ACCESS_AS_TOLD, why_access_differs, look_up=access_named)
        register_note(note_on_invoices)
        register_part(Part("invoices", "billing.view_invoice", invoices_of))
        register_watcher("billing", watch_billing)
        register_fixes(FIXES)
        invoices = "admin:billing_invoice_changelist"
        register_shortcut(Shortcut("Invoices", invoices, "billing.view_invoice", 60))
