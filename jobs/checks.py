"""System checks of the secrets that start jobs: what opens nothing, and what opens too much."""

import re
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Info, Tags, register

from egac.checks import SHORTEST_SECRET
from jobs.registry import FUNCTIONS, job_called

HEADER = re.compile(r"[A-Za-z0-9-]+")


@register(Tags.security)
def check_job_tokens(**kwargs: Any) -> list[CheckMessage]:
    """Refuse a token that opens nothing, and one that is easily guessed; no token is repeated."""
    return [
        Error(
            f"JOB_TOKENS of {name!r}: {wrong}.",
            hint=f'Write for example JOB_TOKENS={{"{next(iter(FUNCTIONS))}": '
            '"<32 random characters>"}.',
            id="jobs.E001",
        )
        for name, tokens in settings.JOB_TOKENS.items()
        for wrong in _wrong_with(name, tokens)
    ]


def _wrong_with(name: str, tokens: tuple[str, ...]) -> Iterator[str]:
    job = job_called(name)
    if job is None:
        yield f"there is no such job; there are {', '.join(FUNCTIONS)}"
    elif not job.functions:
        yield "no function starts this job, so its token would open nothing"
    if min(map(len, tokens)) < SHORTEST_SECRET:
        yield f"a token is shorter than {SHORTEST_SECRET} characters"


@register(Tags.security)
def check_scheduler_header(**kwargs: Any) -> list[CheckMessage]:
    """Refuse a name that no header has."""
    name = settings.SCHEDULER_SECRET_HEADER
    if not name or HEADER.fullmatch(name):
        return []
    return [
        Error(
            f"SCHEDULER_SECRET_HEADER is {name!r}, which no header can be called.",
            hint="Write for example SCHEDULER_SECRET_HEADER=x-scheduler-token.",
            id="jobs.E002",
        )
    ]


@register(Tags.security, deploy=True)
def check_service_role_key(**kwargs: Any) -> list[CheckMessage]:
    """Suggest a token a job in the place of the one key that opens them all."""
    if not settings.SERVICE_ROLE_KEY:
        return []
    return [
        Info(
            "SERVICE_ROLE_KEY opens every function with one key.",
            hint='Give each caller its own: JOB_TOKENS={"generate_t5_invoices": "<32 random '
            'characters>", …}; then unset SERVICE_ROLE_KEY.',
            id="jobs.I001",
        )
    ]
