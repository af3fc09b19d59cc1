from argparse import ArgumentParser
from typing import Any

from django.utils import timezone

from egac.import_command import ImportCommand
from invites.imports import import_enquiries, preview_import


class Command(ImportCommand):
    help = "Import enquiries from a CSV file. A line that is there already is not added twice."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--invite", action="store_true", help="invite each new enquirer")

    def report(self, content: bytes, options: dict[str, Any]) -> dict[str, Any]:
        run = preview_import if options["dry_run"] else import_enquiries
        return run(content, today=timezone.localdate(), invite=options["invite"])

    def counts(self, report: dict[str, Any]) -> str:
        return f"{report['new']} new"

    def more(self, report: dict[str, Any]) -> str:
        if not report["invited"]:
            return ""
        return f"Each of the {report['invited']} new ones has a pending invite."
