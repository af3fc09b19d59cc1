"""How many rows have ended and how many attempts were made: kept by triggers, read in a moment."""

from collections import Counter
from datetime import datetime

from django.db import models
from django.db.models import Sum

from egac.outbox import OutgoingQuerySet


class FinishedRows(models.Model):
    """How many rows of a table have ended in one way; the sum of its slots is exact."""

    pk = models.CompositePrimaryKey("source", "channel", "status", "slot")
    source = models.TextField()  # the table
    channel = models.TextField()
    status = models.TextField()
    slot = models.SmallIntegerField()
    count = models.BigIntegerField()

    class Meta:
        db_table = "finished_rows"
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.source}, {self.channel}, {self.status}"


class HourlyFigure(models.Model):
    """How many attempts of one hour ended in one way; it outlives the audit that it counted."""

    pk = models.CompositePrimaryKey("hour", "channel", "outcome", "slot")
    hour = models.DateTimeField()  # its beginning
    channel = models.TextField()
    outcome = models.TextField()
    slot = models.SmallIntegerField()
    count = models.BigIntegerField()

    class Meta:
        db_table = "hourly_figures"
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.hour}, {self.channel}, {self.outcome}"


def finished(table: str) -> Counter[tuple[str, str]]:
    """Return how many rows of a table have ended, by channel and status: one small question."""
    counts: Counter[tuple[str, str]] = Counter()
    rows = FinishedRows.objects.filter(source=table).values_list("channel", "status")
    for channel, status, count in rows.annotate(count=Sum("count")):
        counts[channel, status] = count
    return counts


def open_rows(rows: OutgoingQuerySet) -> Counter[str]:
    """Count the rows that are still to be sent, by status, from the partial indexes on them."""
    status = rows.model.Status
    return Counter(
        {
            str(word): rows.filter(status=word).count()
            for word in (status.PENDING, status.PROCESSING)
        }
    )


def attempts_since(instant: datetime) -> dict[tuple[datetime, str, str], int]:
    """Return how many attempts each hour since then had, by channel and outcome."""
    figures = HourlyFigure.objects.filter(hour__gte=instant)
    by_hour = figures.values_list("hour", "channel", "outcome").annotate(sum=Sum("count"))
    return {(hour, channel, outcome): count for hour, channel, outcome, count in by_hour}
