"""What a pass over chosen invites came to, in a sentence for the person who asked for it. Pure."""

from typing import Any

from egac.explain import explain_error
from invites.models import Invite

Status = Invite.Status


def outcome_sentence(result: dict[str, Any], *, chosen: int) -> str:
    """Return how many of the chosen invites went, failed (the first reason) and wait (why)."""
    lines = result["results"]
    rendered = sum(1 for line in lines if line.get("dryRun"))
    sent = sum(1 for line in lines if line["ok"]) - rendered
    failed = [line for line in lines if line.get("status") == Status.FAILED]
    cancelled = [line for line in lines if line.get("status") == Status.CANCELLED]
    waiting = chosen - sent - len(failed) - len(cancelled)
    parts = [f"{sent} sent."]
    if failed:
        parts.append(f"{len(failed)} failed. {_why(failed, gave_up=True)}")
    if cancelled:
        parts.append(f"{len(cancelled)} cancelled. {_why(cancelled, gave_up=True)}")
    if waiting:
        tried = [line for line in lines if line.get("status") == Status.PENDING]
        why = result["note"] or _why(tried, gave_up=False) or "The next run sends the rest."
        parts.append(f"{waiting} {'waits' if waiting == 1 else 'wait'}. {why}")
    return " ".join(parts)


def is_all_sent(result: dict[str, Any], *, chosen: int) -> bool:
    """Return whether every chosen invite went out for real."""
    return sum(1 for line in result["results"] if line["ok"] and not line["dryRun"]) == chosen


def _why(lines: list[dict[str, Any]], *, gave_up: bool) -> str:
    return explain_error(lines[0]["error"], gave_up=gave_up) if lines else ""
