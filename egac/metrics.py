"""Figures for Prometheus (/metrics), read from the database when they are asked for.

Every question is bounded: open rows are counted up to a limit, attempts over the last hour, and
how many rows have ended is the planner's estimate. So a million finished rows cost nothing.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection
from django.db.models import Count, Min, Q
from django.db.models.functions import Coalesce, Now
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from egac.auth import bearer, matches
from egac.channels import Channel
from egac.delivery import MessageAudit
from egac.outbox import OutgoingQuerySet

MOST_COUNTED = 100_000
MOST_LOOKED_AT = 10_000  # of due rows, in the order of claims
HOUR = timedelta(hours=1)
QUANTILES = (0.5, 0.95, 0.99)

Source = Callable[[datetime], Iterable[Metric]]


@dataclass(frozen=True)
class Rows:
    """Outgoing rows of one table on one channel."""

    table: str
    channel: str
    query: Callable[[], OutgoingQuerySet]


ROWS: list[Rows] = []
SOURCES: list[Source] = []


def register_rows(table: str, channel: str, query: Callable[[], OutgoingQuerySet]) -> None:
    """Let an app show how many of its rows wait, and since when."""
    ROWS.append(Rows(table, channel, query))


def waiting_for(channel: str) -> int | None:
    """Return how many messages wait for a channel, None for one that carries none."""
    tables = [rows.query() for rows in ROWS if rows.channel == channel]
    waiting = [rows.filter(status=rows.model.Status.PENDING).count() for rows in tables]
    return sum(waiting) if tables else None


def register_source(source: Source) -> None:
    """Let an app show figures of its own, as they are at an instant."""
    SOURCES.append(source)


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer with every figure, to whoever carries METRICS_TOKEN."""
    if not settings.METRICS_TOKEN:
        return _refusal(503, "METRICS_TOKEN is not set on this site, so this address is closed.")
    if not matches([bearer(request)], [settings.METRICS_TOKEN]):
        return _refusal(401, "Send the header Authorization: Bearer <METRICS_TOKEN>.")
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Everything(timezone.now()))  # noqa: TID251  a page reads the clock
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _refusal(status: int, error: str) -> HttpResponse:
    return JsonResponse({"ok": False, "error": error}, status=status)


class Everything(Collector):
    """The figures of this site and of every app."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def collect(self) -> Iterator[Metric]:
        for source in (open_rows, all_rows, oldest_due, attempts, latency, channels):
            yield from source()
        for registered in SOURCES:
            yield from registered(self.now)


def gauge(name: str, about: str, *labels: str) -> GaugeMetricFamily:
    """Return an empty family of figures; its name begins with ours."""
    return GaugeMetricFamily(f"egac_{name}", about, labels=labels)


def open_rows() -> Iterator[Metric]:
    about = f"Rows that wait, are being sent or have failed; at most {MOST_COUNTED} are counted"
    family = gauge("outgoing_rows", about, "table", "channel", "status")
    for rows in ROWS:
        status = rows.query().model.Status
        for word in (status.PENDING, status.PROCESSING, status.FAILED):
            count = rows.query().filter(status=word)[:MOST_COUNTED].count()
            family.add_metric([rows.table, rows.channel, word], count)
    yield family


def all_rows() -> Iterator[Metric]:
    """Tell of finished rows what the planner last saw of each table."""
    about = "All rows by status, as PostgreSQL's planner estimates them"
    family = gauge("outgoing_rows_estimate", about, "table", "status")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tablename, word, reltuples * freq FROM pg_stats "
            "JOIN pg_class ON oid = to_regclass(quote_ident(tablename)) AND reltuples >= 0, "
            "unnest(most_common_vals::text::text[], most_common_freqs) AS common(word, freq) "
            "WHERE attname = 'status' AND schemaname = any(current_schemas(false)) "
            "AND tablename = any(%s)",
            [sorted({rows.table for rows in ROWS})],
        )
        for table, status, count in cursor.fetchall():
            family.add_metric([table, status], round(count))
    yield family


def oldest_due() -> Iterator[Metric]:
    family = gauge(
        "oldest_due_seconds", "For how long the oldest due row waits", "table", "channel"
    )
    for rows in ROWS:
        waiting = rows.query().due().in_order()[:MOST_LOOKED_AT]
        since = Min(Coalesce("due_at", "updated_at"))
        seconds = waiting.aggregate(waits=Now() - since)["waits"]
        family.add_metric([rows.table, rows.channel], seconds.total_seconds() if seconds else 0)
    yield family


def attempts() -> Iterator[Metric]:
    about = "Attempts to send within the last hour"
    family = gauge("attempts_last_hour", about, "channel", "provider", "outcome")
    recent = MessageAudit.objects.filter(at__gte=Now() - HOUR)
    names = ("channel", "provider", "outcome")
    for *labels, count in recent.values_list(*names).annotate(count=Count("pk")).order_by(*names):
        family.add_metric(labels, count)
    yield family


def latency() -> Iterator[Metric]:
    about = "How long the calls of a provider took within the last hour"
    family = gauge("provider_seconds", about, "provider", "quantile")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT provider, percentile_cont(%s::float[]) WITHIN GROUP (ORDER BY duration_ms) "
            "FROM message_audit WHERE at >= now() - interval '1 hour' "
            "AND duration_ms IS NOT NULL GROUP BY provider ORDER BY provider",
            [list(QUANTILES)],
        )
        for provider, values in cursor.fetchall():
            for quantile, milliseconds in zip(QUANTILES, values, strict=True):
                family.add_metric([provider, str(quantile)], milliseconds / 1000)
    yield family


def channels() -> Iterator[Metric]:
    family = gauge(
        "channel_open", "1 where a channel sends, 0 where it is paused or down", "channel"
    )
    is_open = Q(paused_at=None) & (Q(held_until=None) | Q(held_until__lte=Now()))
    for name, opened in Channel.objects.annotate(opened=is_open).values_list("name", "opened"):
        family.add_metric([name], int(opened))
    yield family
