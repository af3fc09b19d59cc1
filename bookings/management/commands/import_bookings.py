from typing import Any

from django.utils import timezone

from bookings.imports import import_bookings, preview_bookings
from egac.import_command import ImportCommand
from jobs.command import user_of_the_machine


class Command(ImportCommand):
    help = "Bring bookings of another system in. One that is there already is not added twice."

    def report(self, content: bytes, options: dict[str, Any]) -> dict[str, Any]:
        today = timezone.localdate()
        if options["dry_run"]:
            return preview_bookings(content, today=today)
        return import_bookings(content, today=today, actor=user_of_the_machine())

    def counts(self, report: dict[str, Any]) -> str:
        return (
            f"{report['new']} new, of {report['new_customers']} new customers and "
            f"{report['new_packages']} new packages"
        )
