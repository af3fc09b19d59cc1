import signal
import time
from argparse import ArgumentParser
from typing import Any

from django.conf import settings

from jobs.command import JobCommand, positive
from notifications.lanes import Bounds
from notifications.passes import CHANNELS, PASS_LIMIT, pass_within
from notifications.worker import Loop


class Command(JobCommand):
    help = "Send queued messages: one bounded pass for cron, or --loop for ever."
    job = "run_worker_queue"

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--limit", type=positive, default=PASS_LIMIT, metavar="N")
        parser.add_argument("--budget-ms", type=positive, default=100_000, metavar="MS")
        parser.add_argument("--channel", choices=list(CHANNELS), help="only this one")
        parser.add_argument("--loop", action="store_true", help="for ever, until SIGTERM")
        parser.add_argument(
            "--concurrency", type=positive, default=settings.WORKER_CONCURRENCY, metavar="N"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["loop"]:
            super().handle(*args, **options)
            return
        chosen = [options["channel"]] if options["channel"] else list(CHANNELS)
        lanes = [lane for channel in chosen for lane in CHANNELS[channel]]
        loop = Loop(lanes, concurrency=options["concurrency"])
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, lambda *_: loop.end())
        loop.run()

    def work(self, options: dict[str, Any]) -> dict[str, Any]:
        chosen = [options["channel"]] if options["channel"] else list(CHANNELS)
        until = time.monotonic() + options["budget_ms"] / 1000
        bounds = Bounds(options["limit"], until, self.stop, options["concurrency"])
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
