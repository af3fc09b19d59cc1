from argparse import ArgumentParser
from typing import Any

from django.utils import timezone

from billing.command import EscalationCommand
from billing.services import run_escalation_orchestration


class Command(EscalationCommand):
    help = "Move access, remind of unpaid invoices, and tell staff what to look at; once a date."
    job = "run_escalation_orchestration"

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--force", action="store_true", help="although it ran for this date")

    def work(self, options: dict[str, Any]) -> dict[str, Any]:
        return run_escalation_orchestration(
            self.business_on(options),
            now=timezone.now(),
            force=bool(options["force"]),
            dry_run=bool(options["dry_run"]),
            watch=self.watch(options),
        )

    def counts(self, result: dict[str, Any]) -> str:
        return (
            f"{result['reminders_sent']} reminded; {self.moves_in_words(result['escalation'])}, "
            f"{result['error_count']} could not be done."
        )
