from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from jobs import crontab
from jobs.command import WRONG_USAGE, user_of_the_machine
from jobs.cronjobs import log_of
from jobs.registry import JOBS
from jobs.schedule import in_words


class Command(BaseCommand):
    help = "Write the schedule of every job into this user's crontab; type it after each update."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="print the crontab, write none")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            crontab.refuse_another_zone(timezone.now())
            crontab.refuse_what_would_not_start()
            if options["dry_run"]:
                self.stdout.write(crontab.with_our_lines(crontab.read()), ending="")
                return
            crontab.make_log_folder()
            crontab.install()
        except crontab.Unready as error:
            raise CommandError(str(error), returncode=WRONG_USAGE) from error
        except crontab.CrontabError as error:
            raise CommandError(str(error)) from error
        self._tell()

    def _tell(self) -> None:
        user = user_of_the_machine()
        self.stdout.write(f"{len(JOBS)} jobs are in the crontab of {user}, times in UTC:")
        for job in JOBS.values():
            self.stdout.write(f"  {job.name:30}{in_words(job.schedule):25}{log_of(job)}")
