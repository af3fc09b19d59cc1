"""What a canary tells of the cause under which others wait. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class News:
    """What is known of a canary: nothing yet, that it arrived, or why it tells nothing good."""

    is_good: bool = False
    sentence: str = ""

    @property
    def is_bad(self) -> bool:
        return bool(self.sentence)


NOT_SENT = "The test was not sent within an hour."
NOT_RELEASED = "The test arrived, but no run released the others within an hour."
NOTHING_YET, ARRIVED = News(), News(is_good=True)


def news_of(canary: Any, *, generation: int, since: datetime) -> News:
    """Return what a canary that was requeued as this generation tells of its cause.

    One try that failed is enough: the cause is not gone, though the row itself has more attempts.
    """
    if canary is None:
        return News(sentence="The test is gone.")
    if canary.generation != generation:
        return News(sentence="The test was sent again by hand meanwhile.")
    status = canary.Status
    if canary.status == status.PENDING and canary.in_doubt_since:
        return News(sentence="Nobody knows whether the test arrived.")
    if canary.status == status.FAILED or (canary.status == status.PENDING and canary.attempts):
        return News(sentence="The test failed too.")
    if canary.status in (status.PENDING, status.PROCESSING):
        return NOTHING_YET
    if canary.status == status.CANCELLED:
        return News(sentence="The test was cancelled, not sent.")
    # Another program may have moved it on from there, as an invite that is accepted.
    is_sent = canary.status == canary.DONE or (canary.sent_at and canary.sent_at >= since)
    return ARRIVED if is_sent else News(sentence="The test ended without being sent.")
