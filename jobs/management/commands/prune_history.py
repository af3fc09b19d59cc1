from typing import Any

from django.utils import timezone

from jobs.command import JobCommand
from jobs.history import prune_history


class Command(JobCommand):
    help = "Remove old history by age: audit, events, bodies, runs, messages that have ended."
    job = "prune_history"

    def work(self, options: dict[str, Any]) -> dict[str, Any]:
        return prune_history(timezone.now(), dry_run=bool(options["dry_run"]), stop=self.stop)

    def sentence(self, result: dict[str, Any]) -> str:
        counts = ", ".join(f"{name} {count}" for name, count in result["counts"].items())
        return f"History older than its days: {counts}. {result['note']}".rstrip()
