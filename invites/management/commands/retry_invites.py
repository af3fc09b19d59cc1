from argparse import ArgumentParser
from collections import Counter
from typing import Any
from uuid import UUID

from django.core.management.base import CommandError

from invites.models import Invite
from invites.services import retry_invites
from jobs.command import WRONG_USAGE, JobCommand, positive


class Command(JobCommand):
    help = "Send the invites that are due: new ones, and those whose next try has come."
    job = "retry_invites"

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--limit", type=positive, metavar="N", help="send at most N")
        parser.add_argument("--invite", type=UUID, nargs="+", metavar="ID", help="only these")

    def work(self, options: dict[str, Any]) -> dict[str, Any]:
        return retry_invites(
            options["invite"],
            limit=options["limit"],
            dry_run=bool(options["dry_run"]),
            stop=self.stop,
        )

    def handle(self, *args: Any, **options: Any) -> None:
        asked = set(options["invite"] or [])
        known = set(Invite.objects.filter(pk__in=asked).values_list("pk", flat=True))
        if unknown := asked - known:
            names = ", ".join(sorted(map(str, unknown)))
            raise CommandError(f"No such invite: {names}.", returncode=WRONG_USAGE)
        super().handle(*args, **options)

    def sentence(self, result: dict[str, Any]) -> str:
        return summary(result)


def summary(result: dict[str, Any]) -> str:
    """Return what a pass did, as sentences with numbers."""
    lines = result["results"]
    if any(line.get("dryRun") for line in lines):
        kinds = Counter("would be sent" if line["ok"] else "could not be sent" for line in lines)
    else:
        kinds = Counter("sent" if line["ok"] else line["status"] for line in lines)
    words = {"pending": "to be tried again", "sent": "sent", "failed": "failed"}
    counts = ", ".join(f"{count} {words.get(kind, kind)}" for kind, count in kinds.items())
    left = f"{result['left']} still due." if result["left"] else "None is left to send now."
    return " ".join(filter(None, [f"Invites: {counts or 'none was due'}.", left, result["note"]]))
