from typing import Any

from billing.command import BillingCommand, asked_for, counted
from billing.services import generate_monthly_invoices


class Command(BillingCommand):
    help = "Bill the monthly bookings whose period is to be raised by now."
    job = "generate_monthly_invoices"
    generate = generate_monthly_invoices
    errors = "error_count"

    def billed(self, result: dict[str, Any]) -> str:
        return (
            f"{counted(result['created_count'], 'invoice')}{asked_for(result)}, "
            f"{counted(result['waived_count'], 'period')} waived, "
            f"{result['skipped_count'] - result['waived_count']} left for later"
        )
