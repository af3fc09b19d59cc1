"""Whether invites have failed, asked of a site over HTTP or of the database here."""

from typing import Any

from egac.providers import ProviderError
from egac.providers.http import Answer, call
from invites.services import invite_stats


class Blind(Exception):
    """The counts could not be had; `exit_status` tells the callers of today why."""

    def __init__(self, message: str, exit_status: int) -> None:
        super().__init__(message)
        self.exit_status = exit_status


NO_SECRET, NOT_2XX, NOT_JSON, UNREACHABLE = 2, 3, 4, 5


def counts_here() -> dict[str, int]:
    """Return the counts of the local database."""
    return invite_stats()


def counts_of_site(site: str, *, secret: str) -> dict[str, int]:
    """Return the counts that a site answers; raise Blind where it gives none."""
    if not secret:
        raise Blind("CRON_SECRET is not set, so the site would not answer. Set it.", NO_SECRET)
    url = f"{site.rstrip('/')}/api/admin/invite-stats.json"
    try:
        answer = call("GET", url, headers={"authorization": f"Bearer {secret}"})
    except ProviderError as error:
        raise Blind(f"{site} is unreachable: {error}", UNREACHABLE) from error
    return _counts_in(answer, site)


def _counts_in(answer: Answer, site: str) -> dict[str, int]:
    if not 200 <= answer.status < 300:
        raise Blind(f"{site} answered {answer.status}: {answer.start}", NOT_2XX)
    body: Any = answer.json()
    counts = body.get("counts") if isinstance(body, dict) else None
    if not isinstance(counts, dict) or not isinstance(counts.get("failed"), int):
        raise Blind(f"{site} answered no invite counts: {answer.start}", NOT_JSON)
    return counts
