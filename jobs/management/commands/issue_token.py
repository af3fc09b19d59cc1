from argparse import ArgumentParser, ArgumentTypeError
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from egac.tokens import Token, issue
from jobs.registry import FUNCTIONS, Job, job_called

LONGEST_MINUTES = 24 * 60


class Command(BaseCommand):
    help = "Print a token that starts one job over HTTP, and nothing else, for a short time."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("job", type=startable, help="the job, or one of its functions")
        parser.add_argument("--minutes", type=minutes, default=15, metavar="N", help="default: 15")

    def handle(self, *args: Any, **options: Any) -> None:
        job: Job = options["job"]
        token = Token(job.name, timezone.now() + timedelta(minutes=options["minutes"]))
        self.stdout.write(issue(token))
        # Not on the output, so that TOKEN=$(manage.py issue_token …) holds the token alone.
        self.stderr.write(
            f"It opens POST /functions/v1/{job.functions[0]} until {token.ends_at:%F %H:%M} UTC: "
            "send it as Authorization: Bearer."
        )


def startable(name: str) -> Job:
    """Return the job of a name, for argparse; raise ArgumentTypeError where none can be started."""
    job = job_called(name)
    if job is None or not job.functions:
        raise ArgumentTypeError(f"no function starts {name!r}; there are {', '.join(FUNCTIONS)}")
    return job


def minutes(text: str) -> int:
    """Return a number of minutes up to a day, for argparse; raise ArgumentTypeError for others."""
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= LONGEST_MINUTES):
        raise ArgumentTypeError(f"{text!r} is no number of minutes from 1 to {LONGEST_MINUTES}")
    return int(text)
