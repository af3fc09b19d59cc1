import signal
import time
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import CommandError

from jobs.command import JobCommand, positive
from notifications.lanes import Bounds
from notifications.passes import CHANNELS, PASS_LIMIT, pass_within
from notifications.worker import Loop

BUDGET_MS = 100_000


class Command(JobCommand):
    help = "Send queued messages: one bounded pass for cron, or --loop for ever."
    job = "run_worker_queue"

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        limit, budget = f"{PASS_LIMIT} without it", f"{BUDGET_MS} without it"
        parser.add_argument("--limit", type=positive, metavar="N", help=limit)
        parser.add_argument("--budget-ms", type=positive, metavar="MS", help=budget)
        parser.add_argument("--channel", choices=list(CHANNELS), help="only this one")
        parser.add_argument("--loop", action="store_true", help="for ever, until SIGTERM")
        parser.add_argument(
            "--concurrency", type=positive, default=settings.WORKER_CONCURRENCY, metavar="N"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["loop"]:
            super().handle(*args, **options)
            return
        _refuse_what_bounds_a_pass(options)
        chosen = [options["channel"]] if options["channel"] else list(CHANNELS)
        lanes = [lane for channel in chosen for lane in CHANNELS[channel]]
        loop = Loop(lanes, concurrency=options["concurrency"])
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: loop.end())
        loop.run()

    def work(self, options: dict[str, Any]) -> dict[str, Any]:
        chosen = [options["channel"]] if options["channel"] else list(CHANNELS)
        until = time.monotonic() + (options["budget_ms"] or BUDGET_MS) / 1000
        limit = options["limit"] or PASS_LIMIT
        bounds = Bounds(limit, until, self.stop, options["concurrency"])
        return pass_within(bounds, channels=chosen, dry_run=bool(options["dry_run"]))

    def sentence(self, result: dict[str, Any]) -> str:
        lines = result["results"]
        sent = sum(line["ok"] and not line.get("dryRun") for line in lines)
        would = sum(line["ok"] and line.get("dryRun", False) for line in lines)
        rest = len(lines) - sent - would
        told = f"Messages: {sent} sent, {rest} not; {result['left']} still due."
        if would:
            told = f"{told} {would} would be sent."
        return " ".join([told, *result["notes"]])


def _refuse_what_bounds_a_pass(options: dict[str, Any]) -> None:
    """Raise CommandError for an option of one pass: a loop would not keep to it."""
    asked = [name for name in ("limit", "budget_ms", "dry_run", "json") if options[name]]
    if asked:
        names = " and ".join(f"--{name.replace('_', '-')}" for name in asked)
        raise CommandError(
            f"--loop runs for ever and sends all that is due: {names} is for one pass. Leave out "
            "--loop, or set RESEND_DRY_RUN=1 and WHATSAPP_DRY_RUN=1 to see what a loop would send.",
            returncode=2,
        )
