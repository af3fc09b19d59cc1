"""What came of every run of a job, and which jobs are paused."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Self

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now, TruncDate


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
        """Return the newest of these runs of each job, without its result."""
        first, *others = (
            self.filter(job=job).order_by("-started_at", "-pk").defer("result")[:1] for job in jobs
        )
        return {run.job: run for run in first.union(*others, all=True)}


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

    objects = JobRunQuerySet.as_manager()

    class Meta:
        verbose_name = "run of a job"
        verbose_name_plural = "runs of jobs"
        ordering = ["-started_at"]
        indexes = [models.Index(fields=["job", "-started_at"], name="runs_of_a_job")]
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


class JobPause(models.Model):
    """A job that no clock and no machine may start until staff resume it; a person still may."""

    job = models.TextField(primary_key=True)
    paused_by = models.TextField()
    paused_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = "pause of a job"
        verbose_name_plural = "pauses of jobs"

    def __str__(self) -> str:
        return f"{self.job}, paused by {self.paused_by}"
