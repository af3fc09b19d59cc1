"""The figures of jobs and alerts for /metrics."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db.models import Count
from django.db.models.functions import Now
from prometheus_client.core import Metric

from egac.metrics import gauge
from jobs.lateness import job_states
from jobs.models import Alert, JobRun
from jobs.registry import JOBS

DAY = timedelta(days=1)


def job_figures(now: datetime) -> Iterator[Metric]:
    yield from (_runs(), *_states(now), _alerts())


def _runs() -> Metric:
    family = gauge("job_runs_last_day", "Runs of a job within the last day", "job", "status")
    # The jobs are named so that the index on job and time is used.
    recent = JobRun.objects.filter(job__in=JOBS, started_at__gte=Now() - DAY)
    counts = recent.order_by().values_list("job", "status").annotate(count=Count("pk"))
    for job, status, count in counts.order_by("job", "status"):
        family.add_metric([job, status], count)
    return family


def _states(now: datetime) -> tuple[Metric, ...]:
    late = gauge("job_late", "1 where a job has not succeeded within its time", "job")
    paused = gauge("job_paused", "1 where staff have paused a job", "job")
    done = gauge("job_last_done_timestamp_seconds", "When a job was last done", "job")
    for state in job_states(now):
        late.add_metric([state.job.name], int(state.is_late))
        paused.add_metric([state.job.name], int(state.is_paused))
        if state.last_done_at:
            done.add_metric([state.job.name], state.last_done_at.timestamp())
    return late, paused, done


def _alerts() -> Metric:
    family = gauge("alerts_open", "Alerts that are open, by the kind of their cause", "kind")
    causes = Alert.objects.open().values_list("cause", flat=True)
    for kind, count in sorted(Counter(cause.partition(":")[0] for cause in causes).items()):
        family.add_metric([kind], count)
    return family
