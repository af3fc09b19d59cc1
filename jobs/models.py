"""What came of every run of a job, which jobs are paused, and what is wrong right now."""

from collections import Counter
from collections.abc import Collection, Iterable
from datetime import timedelta
from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Count, F, Func, Q, Value
from django.db.models.functions import Now, TruncDate

from egac.search import Words
from jobs.registry import JOBS

ROWS = ["results", "errors", "rows", "late", "taken_back"]  # of a result, by their names
WORDS_OF_AN_ALERT = Words("sentence", "cause")


class JobRunQuerySet(models.QuerySet["JobRun"]):
    """Questions about runs."""

    def running(self) -> Self:
        return self.filter(status=JobRun.Status.RUNNING)

    def dead(self) -> Self:
        """Runs whose lease is over: the process that held it is gone."""
        return self.running().filter(lease_ends_at__lt=Now())

    def successes(self) -> Self:
        """Real runs that succeeded for their own day, or a later one.

        A run for a day gone by, asked for by a person, is not the run of its night.
        """
        succeeded = self.filter(status=JobRun.Status.SUCCEEDED, dry_run=False)
        return succeeded.filter(business_on__gte=TruncDate("started_at"))

    def newest_of_each(self, jobs: Iterable[str]) -> dict[str, "JobRun"]:
        """Return the newest of these runs of each job, without its result and its lines."""
        newest_first = self.order_by("-started_at", "-pk").defer("result", "log")
        first, *others = (newest_first.filter(job=job)[:1] for job in jobs)
        return {run.job: run for run in first.union(*others, all=True)}

    def failures_in_a_row(self, jobs: Collection[str]) -> Counter[str]:
        """Count for each job those of these runs that came after its last success."""
        if not jobs:
            return Counter()
        succeeded = self.filter(status=JobRun.Status.SUCCEEDED).newest_of_each(jobs)
        of_any = Q()
        for job in jobs:
            after = {"started_at__gt": succeeded[job].started_at} if job in succeeded else {}
            of_any |= Q(job=job, **after)
        counts = self.filter(of_any).order_by().values_list("job").annotate(count=Count("pk"))
        return Counter(dict(counts))

    def briefly(self) -> Self:
        """Return the runs for a list: of a result only `brief`, not what grows with its rows."""
        without_rows = Func(
            F("result"),
            Value(ROWS, output_field=ArrayField(models.TextField())),
            template="(%(expressions)s)",
            arg_joiner=" - ",
            output_field=models.JSONField(),
        )
        return self.defer("result", "log").annotate(brief=without_rows)


class JobRun(models.Model):
    """One run of one job, whoever started it."""

    class Status(models.TextChoices):
        RUNNING = "running", "running"
        SUCCEEDED = "succeeded", "succeeded"
        FAILED = "failed", "failed"
        LOST = "lost", "lost: its process is gone"

    class Trigger(models.TextChoices):
        CRON = "cron", "cron"
        HTTP = "http", "HTTP"
        ADMIN = "admin", "admin site"
        HAND = "hand", "by hand"

    job = models.TextField()
    status = models.TextField(choices=Status, db_default=Status.RUNNING)
    exclusive = models.BooleanField()
    trigger = models.TextField(choices=Trigger)
    actor = models.TextField(blank=True)  # who: a user of the machine or of the admin site
    business_on = models.DateField("business date")
    dry_run = models.BooleanField(default=False)
    started_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True)
    lease_ends_at = models.DateTimeField()
    result = models.JSONField(null=True)
    error = models.TextField(blank=True, db_default="")
    log = models.TextField(blank=True, db_default="")  # its lines, without secrets

    objects = JobRunQuerySet.as_manager()

    class Meta:
        verbose_name = "run of a job"
        verbose_name_plural = "runs of jobs"
        ordering = ["-started_at"]
        indexes = [
            models.Index(fields=["job", "-started_at"], name="runs_of_a_job"),
            models.Index(fields=["-started_at", "-id"], name="runs_by_time"),
            models.Index(fields=["status", "-started_at"], name="runs_by_status"),
            models.Index(fields=["trigger", "-started_at"], name="runs_by_trigger"),
            models.Index(
                fields=["-started_at"], name="runs_that_changed_nothing", condition=Q(dry_run=True)
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["job"],
                condition=Q(status="running", exclusive=True),
                name="one_open_run_of_an_exclusive_job",
            )
        ]

    def __str__(self) -> str:
        return f"{self.job} run {self.pk}"

    @property
    def duration(self) -> timedelta | None:
        """How long it took, or None while it runs."""
        return self.finished_at - self.started_at if self.finished_at else None


class JobPauseQuerySet(models.QuerySet["JobPause"]):
    """Questions about pauses."""

    def open(self) -> Self:
        return self.filter(resumed_at=None)


class JobPause(models.Model):
    """A job that no clock and no machine may start until staff resume it; a person still may."""

    job = models.TextField(primary_key=True)
    paused_by = models.TextField()
    paused_at = models.DateTimeField(db_default=Now())
    resumed_at = models.DateTimeField(null=True)  # what came before is not missed

    objects = JobPauseQuerySet.as_manager()

    class Meta:
        verbose_name = "pause of a job"
        verbose_name_plural = "pauses of jobs"

    def __str__(self) -> str:
        return f"{self.job}, paused by {self.paused_by}"


class ScheduledJob(models.Model):
    """A job of the registry: no table, pages of the admin and who may act on them."""

    name = models.TextField(primary_key=True)

    class Meta:
        managed = False
        default_permissions = ("view",)
        permissions = [
            ("run_job", "Can run jobs"),
            ("pause_job", "Can pause and resume jobs"),
        ]
        verbose_name = "job"

    def __str__(self) -> str:
        return JOBS[self.name].title if self.name in JOBS else self.name


class AlertQuerySet(models.QuerySet["Alert"]):
    """Questions about alerts."""

    def open(self) -> Self:
        return self.filter(closed_at=None)


class Alert(models.Model):
    """Something that is wrong: one cause, opened once, counted up, closed by itself."""

    cause = models.TextField()
    sentence = models.TextField()
    next_step = models.TextField()
    page = models.TextField()  # where to look, from the root of this site
    count = models.IntegerField(default=1)  # how many looks have found it
    opened_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    told = models.JSONField(default=dict)  # by the name of a sink: what it was told, and when
    telling_until = models.DateTimeField(null=True)  # one process at a time tells the sinks

    objects = AlertQuerySet.as_manager()

    class Meta:
        ordering = ["-opened_at"]
        indexes = [
            models.Index(fields=["-opened_at"], name="alerts_by_time"),
            models.Index(
                F("closed_at").desc(nulls_first=True),
                F("opened_at").desc(),
                F("id").desc(),
                name="alerts_in_order",
            ),
            GinIndex(WORDS_OF_AN_ALERT, name="alerts_by_words"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["cause"],
                condition=Q(closed_at=None),
                name="one_open_alert_of_a_cause",
            )
        ]

    def __str__(self) -> str:
        return self.sentence
