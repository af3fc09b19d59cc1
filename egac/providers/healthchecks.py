"""Pings to an outside watcher, in the manner of healthchecks.io: only it sees a dead machine."""

import logging

from django.conf import settings

from egac.providers import ProviderError
from egac.providers.http import call

logger = logging.getLogger(__name__)

CALL_SECONDS = 2.0  # a ping is never worth a delay
STARTED, SUCCEEDED, FAILED = "/start", "", "/fail"


def ping(what: str) -> None:
    """Tell the watcher that the work starts, succeeded or failed; a failed ping is only logged."""
    if not settings.HEALTHCHECK_PING_URL:
        return
    url = f"{settings.HEALTHCHECK_PING_URL}{what}"
    try:
        answer = call("POST", url, headers={"User-Agent": "egac-ops/1.0.0"}, seconds=CALL_SECONDS)
    except ProviderError as error:
        logger.warning("the outside watcher was not told: %s", error)
        return
    if answer.status >= 300:
        logger.warning("the outside watcher answered %d to a ping", answer.status)
