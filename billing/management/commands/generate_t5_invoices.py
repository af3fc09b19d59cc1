from typing import Any

from billing.command import BillingCommand, asked_for, counted
from billing.services import generate_t5_invoices


class Command(BillingCommand):
    help = "Bill the classes that took place up to yesterday."
    job = "generate_t5_invoices"
    generate = generate_t5_invoices
    errors = "total_errors"

    def billed(self, result: dict[str, Any]) -> str:
        return (
            f"{counted(result['total_generated'], 'invoice')}{asked_for(result)}, "
            f"{counted(result['total_skipped'], 'booking')} without a full register"
        )
