import json
from argparse import ArgumentParser
from typing import Any

from django.conf import settings

from invites.monitor import Blind, counts_here, counts_of_site
from jobs.command import JobCommand


class Command(JobCommand):
    help = "Say whether invites have failed: exit 0 none, 1 some, 2 to 5 when it cannot be known."
    job = "check_invite_stats"
    can_dry_run = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--url",
            default=settings.PAGES_SITE_URL,
            help="ask this site (default: PAGES_SITE_URL); without either, the database here",
        )

    def work(self, options: dict[str, Any]) -> dict[str, Any]:
        site = options["url"]
        counts = counts_of_site(site, secret=settings.CRON_SECRET) if site else counts_here()
        return {"ok": True, "counts": counts, "site": site or "this database"}

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            super().handle(*args, **options)
        except Blind as error:
            self.stderr.write(str(error))
            raise SystemExit(error.exit_status) from error

    def sentence(self, result: dict[str, Any]) -> str:
        counts = result["counts"]
        failed = counts["failed"]
        told = f"{failed} failed: open the failed invites in the admin" if failed else "none failed"
        return f"Invite counts: {json.dumps(counts)}\n{result['site']}: {told}."

    def failed(self, result: dict[str, Any]) -> bool:
        return bool(result["counts"]["failed"])
