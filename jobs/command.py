"""The base of every management command that is a job."""

import getpass
import json
import os
import signal
import threading
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any, ClassVar

from django.core.checks import Tags
from django.core.management import get_commands, load_command_class
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from egac.days import FIRST_DAY, LAST_DAY
from egac.providers import NotConfigured
from jobs.models import JobRun
from jobs.services import AlreadyRunning, Paused, Start, run_job

WRONG_USAGE = 2
LARGEST = 1_000_000_000


class JobCommand(BaseCommand):
    """Arguments, one service call, the returned counts; and a JobRun that tells of it.

    Exit 0: every outcome was recorded. Exit 1: the work failed, or `failed` says so of its result.
    Exit 2: wrong usage or missing configuration.
    `stop` is set when a signal asks the process to end: work that can be cut short looks at it.
    """

    job: ClassVar[str]
    # Of the settings; the pages, which most of the time goes into, are the site's to check.
    requires_system_checks = (Tags.compatibility, Tags.security)
    can_dry_run: ClassVar[bool] = True

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.stop = threading.Event()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the result as one object")
        parser.add_argument(
            "--trigger",
            choices=JobRun.Trigger.values,
            default=os.environ.get("EGAC_TRIGGER", JobRun.Trigger.HAND),
            help="who starts it (default: by hand)",
        )
        if self.can_dry_run:
            parser.add_argument("--dry-run", action="store_true", help="send and change nothing")

    def work(self, options: dict[str, Any]) -> dict[str, Any]:
        """Do the job and return its result."""
        raise NotImplementedError

    def sentence(self, result: dict[str, Any]) -> str:
        """Return the result for a person."""
        raise NotImplementedError

    def failed(self, result: dict[str, Any]) -> bool:
        """Return whether the result is a reason for exit status 1."""
        return False

    def business_on(self, options: dict[str, Any]) -> date:
        """Return the business date that a run of these options is for."""
        return timezone.localdate()

    @contextmanager
    def ended_by_signals(self) -> Iterator[None]:
        """Let SIGTERM set `stop` while the job runs; a signal is the main thread's to hear."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = signal.signal(signal.SIGTERM, lambda *_: self.stop.set())
        try:
            yield
        finally:
            signal.signal(signal.SIGTERM, before)

    def options(self, **asked: Any) -> dict[str, Any]:
        """Return the options of a run that no command line starts: what is asked, and defaults."""
        return {**vars(self.create_parser("manage.py", self.job).parse_args([])), **asked}

    def run(self, options: dict[str, Any], *, trigger: str, actor: str) -> JobRun:
        """Do the work as a run of the job and return the finished run; raises as run_job does."""
        start = Start(
            trigger=trigger,
            actor=actor,
            business_on=self.business_on(options),
            dry_run=bool(options.get("dry_run")),
        )
        return run_job(self.job, start, lambda: self.work(options))

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with self.ended_by_signals():
                run = self.run(options, trigger=options["trigger"], actor=user_of_the_machine())
        except (AlreadyRunning, Paused) as error:
            self.stderr.write(str(error))
            return
        except NotConfigured as error:
            raise CommandError(str(error), returncode=WRONG_USAGE) from error
        result: dict[str, Any] = run.result or {}
        self.stdout.write(json.dumps(result) if options["json"] else self.sentence(result))
        if self.failed(result):
            raise SystemExit(1)


class DatedJobCommand(JobCommand):
    """A job that works for one business date: today's, or the one that `--date` names."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--date", type=day, metavar="YYYY-MM-DD", help="as if today were this day"
        )

    def business_on(self, options: dict[str, Any]) -> date:
        return options["date"] or timezone.localdate()


def command_of(job: str) -> JobCommand:
    """Return the command of a job, for whoever starts it from within the site."""
    command = load_command_class(get_commands()[job], job)
    assert isinstance(command, JobCommand)
    return command


def user_of_the_machine() -> str:
    """Return the user's name; a container may have a number that stands in no list."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"user {os.getuid()}"


def positive(text: str) -> int:
    """Return a whole number above zero, for argparse; raise ArgumentTypeError for anything else."""
    number = int(text) if text.isdecimal() else 0
    if not 1 <= number <= LARGEST:
        raise ArgumentTypeError(f"{text!r} is no whole number from 1 to {LARGEST:,}.")
    return number


def day(text: str) -> date:
    """Return an ISO date, for argparse; raise ArgumentTypeError for anything else."""
    try:
        on = date.fromisoformat(text)
    except ValueError:
        on = None
    # Python also reads 20261231, 2026-W53-4 and, in some versions, 20261231.5.
    if on is None or on.isoformat() != text or not FIRST_DAY <= on <= LAST_DAY:
        raise ArgumentTypeError(
            f"{text!r} is no day from {FIRST_DAY} to {LAST_DAY}, written as these are."
        )
    return on
