from typing import Any

from billing.command import EscalationCommand
from billing.services import escalate_overdue_bookings


class Command(EscalationCommand):
    help = "Let the access of every booking follow its oldest unpaid invoice."
    job = "escalate_overdue_bookings"

    def work(self, options: dict[str, Any]) -> dict[str, Any]:
        on, dry_run = self.business_on(options), bool(options["dry_run"])
        return escalate_overdue_bookings(on, dry_run=dry_run, watch=self.watch(options))

    def counts(self, result: dict[str, Any]) -> str:
        return f"{self.moves_in_words(result)}, {result['error_count']} could not be moved."
