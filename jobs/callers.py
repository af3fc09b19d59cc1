"""Who may start a job over HTTP: every secret, what it opens, and where it is carried."""

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.http import HttpRequest

from egac import tokens
from egac.auth import ISSUED, Secret, bearer, configured, job_tokens, which
from egac.clients import Throttle, client_address
from egac.secret_use import note_use
from jobs.registry import Job, job_called
from jobs.triggers import Refused

logger = logging.getLogger(__name__)

SCHEDULER_JOB = "schedule_create_zoom"
# Of this process alone: it slows guessing down, and keeps nobody out who knows a secret.
WRONG_SECRETS = Throttle(most=20, seconds=60.0, addresses=10_000)


@dataclass(frozen=True)
class Key:
    """A secret, what a request carries in its places, and the job it opens (None: every one)."""

    secret: Secret
    carried: list[str]
    job: str | None = None

    def opens(self, job: Job) -> bool:
        return self.job in (None, job.name)

    def is_shown(self) -> bool:
        return which(self.carried, [self.secret]) is not None


def caller_of(request: HttpRequest, job: Job, *, now: datetime) -> str:
    """Return the name of the secret by which the request may start the job, and note its use.

    Raises Refused: 403 for another job's secret, 401 for an expired token, 503 where no secret
    that opens this job is set, 401 for none and for a wrong one, 429 for too many wrong ones.
    """
    keys, issued = list(_keys(request)), tokens.read(bearer(request))
    if issued and now < issued.ends_at:
        keys.append(_key_of(issued, request))
    shown = [key for key in keys if key.is_shown()]
    for key in shown:
        if key.opens(job):
            note_use(key.secret.name)
            return key.secret.name
    if shown:
        raise Refused(403, f"This secret opens {shown[0].job}, not {job.name}.")
    if issued:
        raise _unauthorized(f"This token expired at {issued.ends_at:%F %H:%M} UTC. Issue another.")
    if not any(key.opens(job) for key in keys):
        raise Refused(503, f"No secret that opens {job.name} is set on this site.")
    if not any(value for key in keys for value in key.carried):
        raise _unauthorized("No secret came along. Send the header Authorization: Bearer <secret>.")
    raise _wrong(client_address(request))


def _keys(request: HttpRequest) -> Iterator[Key]:
    """Return every secret that is set, each with what the request carries in its places."""
    token = bearer(request)
    for secret in configured("CRON_SECRET"):
        yield Key(secret, [token, request.headers.get("x-cron-secret", "")])
    for secret in configured("SERVICE_ROLE_KEY"):
        yield Key(secret, [token])
    for secret in configured("SCHEDULER_SECRET_TOKEN"):
        yield Key(secret, [token, _in_own_header(request)], SCHEDULER_JOB)
    for name, secrets in job_tokens().items():
        if job := job_called(name):
            yield from (Key(secret, [token], job.name) for secret in secrets)


def _in_own_header(request: HttpRequest) -> str:
    """Return what stands in the header that SCHEDULER_SECRET_HEADER names, after Bearer or bare."""
    name = settings.SCHEDULER_SECRET_HEADER
    value = request.headers.get(name, "").strip() if name else ""
    scheme, _, token = value.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else value


def _key_of(issued: tokens.Token, request: HttpRequest) -> Key:
    """Return the key that a token of issue_token is: its signature was read already."""
    carried = bearer(request)
    return Key(Secret(f"{ISSUED}{issued.job}", carried), [carried], issued.job)


def _unauthorized(error: str) -> Refused:
    return Refused(401, error, {"WWW-Authenticate": "Bearer"})


def _wrong(address: str) -> Refused:
    """Count a wrong secret of an address and return the refusal; a right one never comes here."""
    seconds = WRONG_SECRETS.count(address, at=time.monotonic())
    if not seconds:
        return _unauthorized("The secret is wrong.")
    logger.warning("%s has sent too many wrong secrets", address)
    return Refused(
        429,
        f"Too many wrong secrets came from this address. Try again in {seconds:.0f} seconds.",
        {"Retry-After": f"{seconds:.0f}"},
    )
