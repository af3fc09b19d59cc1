"""Alerts: one open alert a cause, opened once, counted up, told to the sinks, closed by itself."""

import logging
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from egac.events import plain
from egac.logs import redact
from egac.moment import Moment
from egac.providers import ProviderError
from jobs.models import Alert
from jobs.sinks import SINKS, Event, Notice, Sink, link_to
from jobs.watchers import Finding, findings

logger = logging.getLogger(__name__)

REPEATED_AFTER = timedelta(days=1)
TELLING = timedelta(minutes=2)  # longer than every sink's time-outs together
FORGOTTEN_AFTER = timedelta(days=7)  # a sink that cannot be told of an end by then never is

Told = dict[str, Any]


def watch(now: datetime) -> None:
    """Look at everything and tell of it; whatever breaks in that harms no run."""
    try:
        watch_everything(now)
    except Exception:
        # The alert sinks' exception: the work that was watched is done and recorded.
        logger.exception("the watch broke, so an alert may be missing")


def watch_everything(now: datetime) -> None:
    """Open, count up and close alerts by what every watcher finds, and tell the sinks.

    `now` is on the database's clock. Any number may look side by side.
    """
    found = findings(Moment(now))
    for finding in found.values():
        _note(finding, now)
    # What another look has found meanwhile stays open.
    over = Alert.objects.open().filter(last_seen_at__lt=now).exclude(cause__in=found)
    over.update(closed_at=now)
    tell_sinks(now)


def _note(finding: Finding, now: datetime) -> None:
    """Count the open alert of this cause up, or open one."""
    told = {
        "sentence": finding.sentence,
        "next_step": finding.next_step,
        "page": finding.page,
        "last_seen_at": now,
    }
    still_open = Alert.objects.open().filter(cause=finding.cause)
    if still_open.update(count=F("count") + 1, **told):
        return
    try:
        with transaction.atomic():
            Alert.objects.create(cause=finding.cause, opened_at=now, **told)
    except IntegrityError:  # another look opened it this moment
        still_open.update(count=F("count") + 1, **told)


def tell_sinks(now: datetime) -> None:
    """Tell every configured sink what it does not know yet of each alert.

    A sink that fails is left alone until the next look.
    """
    sinks = [sink for sink in SINKS.values() if sink.is_configured()]
    recent = Q(closed_at=None) | Q(closed_at__gte=now - FORGOTTEN_AFTER)
    for alert in Alert.objects.filter(recent).order_by("pk"):
        if any(due_event(alert, sink.name, now) for sink in sinks) and _take(alert):
            sinks = [sink for sink in sinks if _tell(alert, sink, now)]
            Alert.objects.filter(pk=alert.pk).update(telling_until=None)


def due_event(alert: Alert, sink: str, now: datetime) -> Event | None:
    """Return what this sink has to be told now, or None.

    At most once in REPEATED_AFTER while the alert lasts: at the first change, or after that time.
    """
    told = alert.told.get(sink, {})
    if now < _instant(told.get("not_before"), now):
        return None
    if "opened_at" not in told:
        return Event.OPENED if alert.closed_at is None else None
    if alert.closed_at is not None:
        return None if "closed_at" in told else Event.CLOSED
    is_first_news = told["said"] != alert.sentence and told["said_at"] == told["opened_at"]
    is_old = now - _instant(told["said_at"], now) >= REPEATED_AFTER
    return Event.LASTING if is_first_news or is_old else None


def _instant(text: str | None, otherwise: datetime) -> datetime:
    return datetime.fromisoformat(text) if text else otherwise


def _take(alert: Alert) -> bool:
    """Take the telling of this alert for this process, and read what was told meanwhile."""
    free = Q(telling_until=None) | Q(telling_until__lt=Now())
    taken = Alert.objects.filter(free, pk=alert.pk).update(telling_until=Now() + TELLING)
    if taken:
        alert.refresh_from_db(fields=["sentence", "next_step", "page", "closed_at", "told"])
    return bool(taken)


def _tell(alert: Alert, sink: Sink, now: datetime) -> bool:
    """Tell one sink what is due, and write down what it was told; return whether it still hears."""
    event = due_event(alert, sink.name, now)
    if event is None:
        return True
    before = alert.told.get(sink.name, {})
    try:
        sink.tell(_notice(alert, event, now))
    except Exception as error:
        # The alert sinks' exception: one that fails stops neither the others nor the work.
        is_known = isinstance(error, ProviderError)
        logger.warning(
            "%s was not told of %s: %s", sink.name, alert.cause, error, exc_info=not is_known
        )
        _write(alert, sink, {**before, **_failure(error, now)})
        return False
    _write(alert, sink, {**_without_failure(before), **_said(alert, event, now)})
    return True


def _notice(alert: Alert, event: Event, now: datetime) -> Notice:
    return Notice(
        event=event,
        number=alert.pk,
        cause=alert.cause,
        sentence=alert.sentence,
        next_step=alert.next_step,
        link=link_to(alert.page),
        opened_at=alert.opened_at,
        now=now,
    )


def _said(alert: Alert, event: Event, now: datetime) -> Told:
    at = now.isoformat()
    if event is Event.CLOSED:
        return {"closed_at": at}
    first = {"opened_at": at} if event is Event.OPENED else {}
    return {**first, "said": alert.sentence, "said_at": at}


def _failure(error: Exception, now: datetime) -> Told:
    failure = {"error": plain(redact(str(error))), "failed_at": now.isoformat()}
    if isinstance(error, ProviderError) and error.retry_after:
        wait = timedelta(seconds=error.retry_after)
        failure["not_before"] = (now + wait).isoformat()
    return failure


def _without_failure(told: Told) -> Told:
    return {name: told[name] for name in told.keys() - {"error", "failed_at", "not_before"}}


def _write(alert: Alert, sink: Sink, told: Told) -> None:
    alert.told[sink.name] = told
    Alert.objects.filter(pk=alert.pk).update(told=alert.told)
