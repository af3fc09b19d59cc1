"""Slack's incoming webhook: one text to one channel. Its address is the secret."""

import json
from html import escape

from django.conf import settings

from egac.providers import Cause, ProviderError
from egac.providers.http import call

CALL_SECONDS = 5.0
# https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks: nobody but a person can
# mend these.
LOST = {"invalid_token", "action_prohibited", "channel_not_found", "no_service", "no_team"}


def post_text(text: str) -> None:
    """Post a text as it is, without markup; raise ProviderError."""
    answer = call(
        "POST",
        settings.SLACK_WEBHOOK_URL,
        headers={"Content-Type": "application/json"},
        body=json.dumps({"text": escape(text, quote=False)}).encode(),
        seconds=CALL_SECONDS,
    )
    if answer.status == 200:
        return
    word = answer.start
    is_lost = word in LOST or answer.status in (403, 404, 410)
    raise ProviderError(
        f"Slack answered {answer.status}: {word}",
        permanent=is_lost,
        retry_after=answer.retry_after,
        cause=_cause(answer.status, is_lost),
        code=f"http_{answer.status}",
    )


def _cause(status: int, is_lost: bool) -> Cause:
    if status == 429:
        return Cause.RATE_LIMIT
    if is_lost:
        return Cause.CREDENTIALS
    return Cause.UNAVAILABLE if status >= 500 else Cause.MESSAGE
