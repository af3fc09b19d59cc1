import re
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from jobs.command import WRONG_USAGE
from jobs.pg_cron import plain_statements, supabase_statements

PLAIN_URL = re.compile(r"https://[A-Za-z0-9.:/_-]+")


class Command(BaseCommand):
    help = "Print the SQL by which pg_cron wakes the worker, or, on Supabase, starts every job."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--supabase", action="store_true", help="start the jobs by pg_net")
        parser.add_argument(
            "--url", default=settings.OPS_BASE_URL, help="of this site (default: OPS_BASE_URL)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["supabase"]:
            self.stdout.write(plain_statements(), ending="")
            return
        site = options["url"].rstrip("/")
        if not PLAIN_URL.fullmatch(site):
            raise CommandError(
                f"The site's address is {site or 'not set'}. Set OPS_BASE_URL, or type "
                "--url https://<this site>: the secret must not travel in the clear.",
                returncode=WRONG_USAGE,
            )
        self.stdout.write(supabase_statements(site), ending="")
