from argparse import ArgumentParser
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from bookings.zoom import schedule_meetings
from egac.days import start_of
from jobs.command import DatedJobCommand, positive

FORCED_HOURS = 48


class Command(DatedJobCommand):
    """With `--date` the classes of that whole day are looked at, as far as they are ahead."""

    help = "Make the Zoom meetings of the online classes that start soon, and tell who joins."
    job = "schedule_create_zoom"

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--force-invoke", action="store_true", help=f"look {FORCED_HOURS} hours ahead"
        )
        parser.add_argument("--limit", type=positive, metavar="N", help="make at most N")

    def work(self, options: dict[str, Any]) -> dict[str, Any]:
        now: datetime = timezone.now()
        hours: float = FORCED_HOURS if options["force_invoke"] else settings.ZOOM_HOURS_BEFORE
        if options["date"]:
            now, hours = rest_of(options["date"], now)
        return schedule_meetings(
            now,
            hours=hours,
            limit=options["limit"],
            dry_run=bool(options["dry_run"]),
            stop=self.stop,
        )

    def sentence(self, result: dict[str, Any]) -> str:
        lines = [_in_words(line) for line in result["results"]]
        late = [f"{_class_in_words(line)}: told late. {_told(line)}" for line in result["late"]]
        back = [_taken_back_in_words(line) for line in result["taken_back"]]
        counts = f"Meetings: {result['invoked']} made, {result['skipped']} still missing."
        return "\n".join(filter(None, [*late, *lines, *back, counts, result["note"]]))


def rest_of(on: date, now: datetime) -> tuple[datetime, float]:
    """Return from when on a business date is ahead, and for how many hours."""
    begins = max(now, start_of(on))
    return begins, (start_of(on + timedelta(days=1)) - begins) / timedelta(hours=1)


def _in_words(line: dict[str, Any]) -> str:
    what = _class_in_words(line)
    if not line["ok"]:
        return f"{what}: {line['error']}"
    end = f"{line['note']} {_told(line)}".strip()
    if line.get("dry_run"):
        return f"{what}: {line['minutes']} minutes, host {line['host']}. {end}"
    found = ", found again" if line["found"] else ""
    return f"{what}: meeting {line['meeting_id']}{found}. {end}"


def _taken_back_in_words(line: dict[str, Any]) -> str:
    what = f"{_class_in_words(line)} needs no meeting any more"
    if not line["ok"]:
        return f"{what}: {line['error']}"
    if line.get("dry_run"):
        return f"{what}: if {line['host']} has one, it is taken back."
    meeting = line["meeting_id"]
    return f"{what}: {f'{meeting} was taken back' if meeting else 'none was made'}."


def _class_in_words(line: dict[str, Any]) -> str:
    return f"{line['title']}, {line['starts_at']}"


def _told(line: dict[str, Any]) -> str:
    told = [f"{each['type']} by {each['channel']} to {each['to']}" for each in line["messages"]]
    return ", ".join(told) or "Nobody is told."
