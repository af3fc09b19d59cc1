"""What is left today of the provider's quota of e-mails, as the operator's plan has it."""

from collections import Counter
from datetime import UTC, datetime, timedelta

from django.conf import settings

from egac.console.forecast import Quota
from egac.delivery import MessageAudit
from egac.figures import attempts_of_hours
from egac.metrics import ROWS
from egac.moment import Moment

TAKEN = (MessageAudit.Outcome.ACCEPTED, MessageAudit.Outcome.UNKNOWN)  # perhaps taken, counts


def quota_of_emails(moment: Moment, *, asked_by: str) -> Quota | None:
    """Return RESEND_DAILY_QUOTA and its rest, or None without one.

    Its days are those of UTC, as channels.NextUtc has them. What is due in other tables than the
    one that asks draws on it too.
    """
    if not settings.RESEND_DAILY_QUOTA:
        return None
    today = moment.now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    attempts = moment.once(_attempts_since, today)
    taken = sum(
        count
        for (_, channel, outcome), count in attempts.items()
        if channel == "email" and outcome in TAKEN
    )
    return Quota(
        a_day=settings.RESEND_DAILY_QUOTA,
        left=max(0, settings.RESEND_DAILY_QUOTA - taken),
        renews_at=today + timedelta(days=1),
        others=sum(
            rows.query().due().count()
            for rows in ROWS
            if rows.channel == "email" and rows.table != asked_by
        ),
    )


def _attempts_since(today: datetime) -> Counter[tuple[datetime, str, str]]:
    return attempts_of_hours(since=today)
