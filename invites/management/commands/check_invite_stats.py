import json
from argparse import ArgumentParser
from collections.abc import Callable
from functools import partial
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.utils import timezone

from egac.providers import ProviderError, github
from invites.monitor import (
    HERE,
    Blind,
    counts_here,
    counts_of_site,
    tell_of_blindness,
    tell_of_counts,
)
from jobs.command import WRONG_USAGE, JobCommand


class Command(JobCommand):
    help = (
        "Say whether invites have failed: exit 0 none, 1 some, 2 to 5 when it cannot be known. "
        "With DATABASE_URL=none it watches another site, and keeps GitHub's issues by itself."
    )
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
        return {"ok": True, "counts": counts, "site": site or HERE}

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if settings.HAS_DATABASE:
                super().handle(*args, **options)
            else:
                self.watch_from_outside(options)
        except Blind as error:
            self.stderr.write(str(error))
            raise SystemExit(error.exit_status) from error

    def watch_from_outside(self, options: dict[str, Any]) -> None:
        """Look and tell, on a machine that keeps nothing."""
        site, now = options["url"], timezone.now()
        if not site:
            raise CommandError(
                "There is no database (DATABASE_URL=none) and no site. Add --url, or set "
                "PAGES_SITE_URL.",
                returncode=WRONG_USAGE,
            )
        try:
            result = self.work(options)
        except Blind as why:
            self.tell(partial(tell_of_blindness, why, site=site, now=now))
            raise
        self.stdout.write(json.dumps(result) if options["json"] else self.sentence(result))
        is_told = self.tell(partial(tell_of_counts, result["counts"], site=site, now=now))
        if self.failed(result) or not is_told:
            raise SystemExit(1)

    def tell(self, tell_github: Callable[[], None]) -> bool:
        """Keep GitHub's issues, where it is configured; return False where it cannot be told."""
        if github.missing_settings():
            return True
        try:
            tell_github()
        except ProviderError as error:
            self.stderr.write(f"The issue could not be kept. {error}")
            return False
        return True

    def sentence(self, result: dict[str, Any]) -> str:
        counts = result["counts"]
        failed = counts["failed"]
        told = f"{failed} failed: open the failed invites in the admin" if failed else "none failed"
        return f"Invite counts: {json.dumps(counts)}\n{result['site']}: {told}."

    def failed(self, result: dict[str, Any]) -> bool:
        return bool(result["counts"]["failed"])
