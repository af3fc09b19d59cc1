import json
from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from jobs.lateness import JobState, job_states
from jobs.schedule import in_words

ON_TIME = "No job is late."
HINT = "See that what starts them still runs; manage.py <job> runs one now."
HEADS = ("job", "schedule", "last run", "next run", "state")


class Command(BaseCommand):
    help = "List every job: its schedule, last run and next run; exit 1 when one is late."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the list as one object")

    def handle(self, *args: Any, **options: Any) -> None:
        states = job_states(timezone.now())
        late = [state for state in states if state.is_late]
        if options["json"]:
            told = {"ok": not late, "jobs": [as_json(state) for state in states]}
            self.stdout.write(json.dumps(told))
        else:
            self.stdout.write(table([HEADS, *map(as_line, states)]))
            lines = [*(state.lateness_in_words for state in late), HINT] if late else [ON_TIME]
            self.stdout.write("\n".join(lines))
        if late:
            raise SystemExit(1)


def as_line(state: JobState) -> tuple[str, ...]:
    """Return a job's line of the table, times in UTC."""
    last = state.last_run
    return (
        state.job.name,
        in_words(state.job.schedule),
        f"{in_utc(last.started_at)} {last.get_status_display()}" if last else "never",
        "when resumed" if state.is_paused else in_utc(state.next_run_at),
        "paused" if state.is_paused else "LATE" if state.is_late else "on time",
    )


def as_json(state: JobState) -> dict[str, Any]:
    """Return how a job stands, instants in UTC as ISO 8601."""
    last = state.last_run
    return {
        "job": state.job.name,
        "schedule": state.job.schedule,
        "schedule_in_words": in_words(state.job.schedule),
        "last_run": last
        and {
            "id": last.pk,
            "status": last.status,
            "trigger": last.trigger,
            "started_at": last.started_at.isoformat(),
        },
        "last_done_at": state.last_done_at and state.last_done_at.isoformat(),
        "next_run_at": state.next_run_at.isoformat(),
        "paused": state.is_paused,
        "late": state.is_late,
        "late_since": state.late_since and state.late_since.isoformat(),
    }


def in_utc(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def table(lines: list[tuple[str, ...]]) -> str:
    """Return lines with their columns under each other."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(f"{text:{width}}" for text, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )
