"""How many rows have ended and how many attempts were made: kept by triggers, read in a moment."""

from collections import Counter
from datetime import date, datetime
from typing import Any

from django.db import models
from django.db.models import F, Sum
from django.db.models.functions import TruncDate

from egac.days import start_of


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


def finished() -> Counter[tuple[str, str, str]]:
    """Return how many rows have ended, by table, channel and status: one small question."""
    rows = FinishedRows.objects.values_list("source", "channel", "status")
    sums = rows.annotate(sum=Sum("count"))
    return Counter({(table, channel, status): count for table, channel, status, count in sums})


def attempts_of_hours(*, since: datetime) -> Counter[tuple[datetime, str, str]]:
    """Return how many attempts each hour since then had, by channel and outcome."""
    return _summed(HourlyFigure.objects.filter(hour__gte=since), F("hour"))


def attempts_of_days(*, since: date) -> Counter[tuple[date, str, str]]:
    """Return the same by business date. An hour that spans two of them belongs to the first."""
    return _summed(HourlyFigure.objects.filter(hour__gte=start_of(since)), TruncDate("hour"))


def _summed(figures: models.QuerySet[HourlyFigure], time: Any) -> Counter[Any]:
    named = figures.annotate(time=time).values_list("time", "channel", "outcome")
    sums = named.annotate(sum=Sum("count"))
    return Counter({(time, channel, outcome): count for time, channel, outcome, count in sums})
