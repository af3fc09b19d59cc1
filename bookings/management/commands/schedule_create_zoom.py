from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.utils import timezone

from bookings.zoom import schedule_meetings
from jobs.command import JobCommand, positive

FORCED_HOURS = 48


class Command(JobCommand):
    help = "Make the Zoom meetings of the online classes that start soon, and tell who joins."
    job = "schedule_create_zoom"

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--force-invoke", action="store_true", help=f"look {FORCED_HOURS} hours ahead"
        )
        parser.add_argument("--limit", type=positive, metavar="N", help="make at most N")

    def work(self, options: dict[str, Any]) -> dict[str, Any]:
        return schedule_meetings(
            timezone.now(),
            hours=FORCED_HOURS if options["force_invoke"] else settings.ZOOM_HOURS_BEFORE,
            limit=options["limit"],
            dry_run=bool(options["dry_run"]),
            stop=self.stop,
        )

    def sentence(self, result: dict[str, Any]) -> str:
        lines = [_in_words(line) for line in result["results"]]
        counts = f"Meetings: {result['invoked']} made, {result['skipped']} still missing."
        return "\n".join(filter(None, [*lines, counts, result["note"]]))


def _in_words(line: dict[str, Any]) -> str:
    what = f"{line['title']}, {line['starts_at']}"
    if not line["ok"]:
        return f"{what}: {line['error']}"
    if line.get("dry_run"):
        return f"{what}: {line['minutes']} minutes, host {line['host']}"
    found = ", found again" if line["found"] else ""
    return f"{what}: meeting {line['meeting_id']}{found}. {line['note']}".strip()
