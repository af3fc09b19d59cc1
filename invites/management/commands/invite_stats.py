import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from invites.services import invite_stats


class Command(BaseCommand):
    help = "Count the invites by state."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the counts as one object")

    def handle(self, *args: Any, **options: Any) -> None:
        counts = invite_stats()
        if options["json"]:
            self.stdout.write(json.dumps(counts))
            return
        for word, count in counts.items():
            self.stdout.write(f"{word:<11}{count:>8}")
