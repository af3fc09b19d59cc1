"""What cron does, as django-crontab takes it: one line a job, made from the registry."""

import os
import shlex
import sys
from pathlib import Path

from django.conf import settings

from egac.environment import BASE_DIR
from jobs.registry import JOBS, Job

MANAGE = BASE_DIR / "manage.py"


def become(job: str) -> None:
    """Turn this process into the job's management command, so that cron sees its exit status.

    django-crontab itself would catch whatever is raised here, SystemExit too, and exit 0.
    """
    os.execv(sys.executable, [sys.executable, str(MANAGE), job, "--trigger", "cron"])


def for_cron(path: str | Path) -> str:
    """Return a path as one word of a crontab's command: a bare `%` would be a line break there."""
    return shlex.quote(str(path)).replace("%", r"\%")


def log_of(job: Job) -> Path:
    """Return the file that keeps what cron's runs of a job print."""
    return Path(settings.CRON_LOG_DIR) / f"{job.name}.log"


CronJob = tuple[str, str, list[str], dict[str, str], str]


def cron_jobs() -> list[CronJob]:
    """Return the value of CRONJOBS: when, the function, its arguments, and where output goes."""
    function = f"{become.__module__}.{become.__name__}"
    return [
        (job.schedule, function, [job.name], {}, f">> {for_cron(log_of(job))} 2>&1")
        for job in JOBS.values()
    ]
