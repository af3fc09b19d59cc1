"""Invoices and payments as files for a spreadsheet."""

from billing.models import Invoice, Payment
from egac.console.export import HarmlessResource, column


class InvoiceResource(HarmlessResource):
    """What each invoice asks for, of whom, and what came in."""

    customer = column("customer", "customer__name")
    email = column("email", "customer__email")
    left_to_pay = column("left_to_pay", "left_to_pay")

    class Meta:
        model = Invoice
        name = "Invoices"
        fields = export_order = (
            "number",
            "kind",
            "status",
            "customer",
            "email",
            "billed_for",
            "issued_on",
            "due_on",
            "currency",
            "net",
            "tax",
            "total",
            "paid",
            "left_to_pay",
            "paid_on",
            "cancelled_because",
        )


class PaymentResource(HarmlessResource):
    """What came in, when, how, and for which invoice."""

    invoice = column("invoice", "invoice__number")
    customer = column("customer", "invoice__customer__name")

    class Meta:
        model = Payment
        name = "Payments"
        fields = export_order = (
            "invoice",
            "customer",
            "amount",
            "currency",
            "paid_on",
            "method",
            "reference",
            "recorded_by",
            "recorded_at",
        )
