"""How fast a provider may be called and whether it is up: one small table shared by all workers.

Slots are spaced 1/rate apart on the database's clock and granted to all workers together, so there
is no burst, on any number of machines. A channel is closed by a pause of staff, by the provider
(rate limit, quota, refused key) until it said so, or by the breaker: after BREAKER_AFTER failures
of one cause in a row it opens and lets one probe through at a time until one is answered.
"""

import threading
import time
from collections.abc import Iterable
from datetime import timedelta
from itertools import groupby
from typing import Any, NamedTuple

from django.conf import settings
from django.db import connection, models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.timezone import localtime

from egac.providers import Cause, ProviderError

BREAKER_AFTER = 5  # failures of one cause in a row
BREAKER_SECONDS = 30.0  # first pause of the breaker; each failed probe doubles it
BREAKER_LONGEST = 900.0
PROBE_SECONDS = 60.0  # a probe that is not heard of by then is lost, and another may go
CREDENTIALS_SECONDS = 900.0
RATE_LIMIT_SECONDS = 2.0  # for a 429 that names no retry-after
PATIENCE_SECONDS = 10.0  # a worker waits for a hold that is no longer; else its pass ends
UNTOLD_RATE = 2.0  # calls a second, where neither a setting nor the provider names a rate

ASKED_FOR = (Cause.RATE_LIMIT, Cause.DAILY_QUOTA, Cause.MONTHLY_QUOTA)
BREAKS = (Cause.UNAVAILABLE, Cause.UNKNOWN)  # so many in a row open the breaker
BECAUSE: dict[str, str] = {
    Cause.RATE_LIMIT: "the provider asked us to slow down",
    Cause.DAILY_QUOTA: "today's quota of the provider is used up",
    Cause.MONTHLY_QUOTA: "this month's quota of the provider is used up",
    Cause.CREDENTIALS: "the provider refuses our key or sender; mend the settings",
    Cause.UNAVAILABLE: "the provider is failing",
    Cause.UNKNOWN: "the provider does not answer",
}
NAMES = {"email": "e-mail", "whatsapp": "WhatsApp", "zoom": "Zoom"}  # in words
CLOSED_BREAKER = {
    "failures": 0,
    "probes": 0,
    "probing": False,
    "held_until": None,
    "held_because": "",
}

RATES = {
    "email": "RESEND_RATE_LIMIT",
    "whatsapp": "WHATSAPP_RATE_LIMIT",
    "zoom": "ZOOM_RATE_LIMIT",
}


class Channel(models.Model):
    """The state of one way out: e-mail, WhatsApp, and the meetings at Zoom."""

    name = models.TextField(primary_key=True)
    next_slot_at = models.DateTimeField(db_default=Now())
    told_rate = models.FloatField(null=True)  # calls a second, as the provider's last answer said
    paused_at = models.DateTimeField(null=True)
    paused_by = models.TextField(db_default="")
    held_until = models.DateTimeField(null=True)
    held_because = models.TextField(db_default="")  # a Cause
    probing = models.BooleanField(db_default=False)
    failures = models.IntegerField(db_default=0)
    probes = models.IntegerField(db_default=0)  # since the breaker opened
    last_error = models.TextField(db_default="")
    last_error_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "channels"

    def __str__(self) -> str:
        return self.name

    @property
    def rate(self) -> float:
        """Calls a second, all workers together.

        The setting is the operator's bound and the provider's word another; the lower one holds.
        """
        most: float | None = getattr(settings, RATES[self.name])
        if most is None:
            return self.told_rate or UNTOLD_RATE
        return min(most, self.told_rate or most)


class NextUtc(models.Func):
    """The beginning of the next day or month in UTC, when a provider counts its quota anew."""

    template = (
        "((date_trunc('%(period)s', now() AT TIME ZONE 'UTC') + interval '1 %(period)s')"
        " AT TIME ZONE 'UTC')"
    )
    output_field = models.DateTimeField()

    def __init__(self, period: str) -> None:
        super().__init__(period=period)


def keep_told_rate(name: str, rate: float) -> None:
    """Keep for all workers how many calls a second the provider says it takes."""
    Channel.objects.filter(name=name).exclude(told_rate=rate).update(told_rate=rate)


def named(name: str) -> Channel:
    """Return the channel's row, made on first use."""
    return Channel.objects.get_or_create(name=name)[0]


def all_channels() -> dict[str, Channel]:
    """Return every channel that was used yet, by its name and in the order of names."""
    return {channel.name: channel for channel in Channel.objects.order_by("name")}


LOOK = """
SELECT told_rate, CASE WHEN paused_at IS NOT NULL THEN 'infinity'::float
  WHEN held_until > clock_timestamp()
  THEN extract(epoch FROM held_until - clock_timestamp())::float END
FROM channels WHERE name = %s
"""


class Look(NamedTuple):
    """A channel as a worker finds it."""

    rate: float  # calls a second, all workers together
    told_rate: float | None  # what the provider said of it
    seconds_closed: float | None  # None while it is open


def look(name: str) -> Look:
    """Look at a channel; one that nobody has used yet is made, and open."""
    with connection.cursor() as cursor:
        cursor.execute(LOOK, [name])
        row = cursor.fetchone()
    if row is None:
        return Look(named(name).rate, None, None)
    told_rate, seconds = row
    return Look(Channel(name=name, told_rate=told_rate).rate, told_rate, seconds)


def wait_until_open(name: str, *, until: float, stop: threading.Event) -> str:
    """Wait for a short hold to end; return why the channel stays closed, or "" when it is open.

    `until` is a time of time.monotonic: a hold that ends later is not waited for.
    """
    while (seconds := look(name).seconds_closed) is not None:
        too_long = seconds > PATIENCE_SECONDS or time.monotonic() + seconds > until
        if too_long or stop.wait(seconds):
            return why_closed(name)
    return ""


def why_closed(name: str) -> str:
    """Return why the channel sends nothing now, as a sentence, or "" while it is open."""
    closed = Q(paused_at__isnull=False) | Q(held_until__gt=Now())
    channel = Channel.objects.filter(closed, name=name).first()
    return explain(channel) if channel else ""


def name_in_words(channel: Channel) -> str:
    """Return a channel's name as people write it."""
    return NAMES.get(channel.name, channel.name)


def explain(channel: Channel) -> str:
    """Return in a sentence why a closed channel is closed and when it opens."""
    if channel.paused_at:
        return f"The {name_in_words(channel)} channel was paused by {channel.paused_by or 'staff'}."
    because = BECAUSE[channel.held_because]
    opens = f"{localtime(channel.held_until):%-d %B at %H:%M %Z}"
    return (
        f"The {name_in_words(channel)} channel is closed until {opens}: {because}. "
        f"It tries again by itself. Last answer: {channel.last_error}"
    )


def note(name: str, outcomes: Iterable[ProviderError | None]) -> None:
    """Tell the channel how calls ended, in their order; None is an accepted one."""
    failures = (
        None if outcome is None or outcome.cause.leaves_the_channel_well else outcome
        for outcome in outcomes
    )
    for failure, alike in groupby(failures):
        if failure is None:
            _note_success(name)
            continue
        for _ in alike:
            _note_failure(Channel.objects.filter(name=name), failure)


def _note_success(name: str) -> None:
    """Close the breaker: the provider answers. A hold that it asked for stays until its time."""
    Channel.objects.filter(Q(failures__gt=0) | Q(probing=True), name=name).update(**CLOSED_BREAKER)


def _note_failure(channel: models.QuerySet[Channel], error: ProviderError) -> None:
    told: dict[str, Any] = {
        "held_because": str(error.cause),
        "last_error": str(error),
        "last_error_at": Now(),
    }
    if error.cause in ASKED_FOR:
        until = _asked_until(error)
        channel.exclude(held_because__in=ASKED_FOR, held_until__gt=until).update(
            held_until=until, probing=False, failures=0, probes=0, **told
        )
        return
    # What the provider asked for runs its time, whatever calls that were in flight say.
    channel = channel.exclude(held_because__in=ASKED_FOR, held_until__gt=Now())
    if error.cause is Cause.CREDENTIALS:
        hold = timedelta(seconds=CREDENTIALS_SECONDS)
        channel.update(held_until=Now() + hold, probing=True, failures=BREAKER_AFTER, **told)
        return
    channel.filter(probing=False).exclude(held_because=str(error.cause)).update(failures=0)
    channel.update(failures=F("failures") + 1, **told)
    _open_the_breaker(channel)


def _asked_until(error: ProviderError) -> Any:
    """Return the instant until which a provider asked us to wait, on the database's clock."""
    if error.cause is Cause.DAILY_QUOTA:
        return NextUtc("day")
    if error.cause is Cause.MONTHLY_QUOTA:
        return NextUtc("month")
    return Now() + timedelta(seconds=error.retry_after or RATE_LIMIT_SECONDS)


def _open_the_breaker(channel: models.QuerySet[Channel]) -> None:
    for probes in channel.filter(failures__gte=BREAKER_AFTER).values_list("probes", flat=True):
        seconds = min(BREAKER_SECONDS * 2 ** min(probes, 10), BREAKER_LONGEST)
        channel.update(held_until=Now() + timedelta(seconds=seconds), probing=True)


def is_down(name: str) -> bool:
    """Return whether the breaker is open, so that a failure costs its row no attempt."""
    return Channel.objects.filter(name=name, probing=True).exists()


def pause(name: str, *, by: str) -> bool:
    """Stop a channel; return whether this call did it."""
    named(name)
    return bool(
        Channel.objects.filter(name=name, paused_at=None).update(paused_at=Now(), paused_by=by)
    )


def resume(name: str) -> bool:
    """Open a channel now, whatever closed it; return whether it was closed."""
    closed = Q(paused_at__isnull=False) | Q(held_until__isnull=False) | Q(probing=True)
    return bool(
        Channel.objects.filter(closed, name=name).update(
            paused_at=None, paused_by="", **CLOSED_BREAKER
        )
    )
