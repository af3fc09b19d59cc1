"""The files of deploy/ agree with the registry and the commands."""

import re
from configparser import ConfigParser
from pathlib import Path

import pytest
from django.core.management import get_commands

from jobs.registry import JOBS, Job
from jobs.schedule import in_words

DEPLOY = Path(__file__).resolve().parent.parent / "deploy"
UNITS = DEPLOY / "systemd"
STEADY = "run_worker_queue"  # a service does it without end
MANAGE = re.compile(r"manage\.py (\S+)")


def unit(name: str) -> ConfigParser:
    parsed = ConfigParser(interpolation=None)
    parsed.optionxform = str  # type: ignore[assignment]  # systemd tells `User` from `user`
    parsed.read_string((UNITS / name).read_text())
    return parsed


def as_systemd_writes(schedule: str) -> str:
    """Return the time of a timer: every n minutes, or once a day."""
    if found := re.fullmatch(r"\*/(\d+) \* \* \* \*", schedule):
        return f"*-*-* *:00/{int(found[1]):02}:00 UTC"
    minute, hour, *_ = schedule.split()
    return f"*-*-* {int(hour):02}:{int(minute):02}:00 UTC"


@pytest.mark.parametrize(
    "job", [job for job in JOBS.values() if job.name != STEADY], ids=lambda job: job.name
)
def test_a_timer_starts_each_job_at_its_time(job: Job) -> None:
    timer = unit(f"egac-job@{job.name}.timer")

    assert timer["Timer"]["OnCalendar"] == as_systemd_writes(job.schedule)
    assert timer["Unit"]["Description"] == f"{job.title}: {in_words(job.schedule)}"


def test_no_timer_starts_what_is_no_job() -> None:
    timers = {path.stem.removeprefix("egac-job@") for path in UNITS.glob("*.timer")}

    assert timers == set(JOBS) - {STEADY}


def test_a_timed_job_leaves_a_run_of_cron() -> None:
    assert unit("egac-job@.service")["Service"]["ExecStart"].endswith("manage.py %i --trigger cron")


def test_every_command_that_is_started_is_there() -> None:
    texts = [path.read_text() for path in DEPLOY.rglob("*") if path.is_file()]
    started = {name for text in texts for name in MANAGE.findall(text)} - {"%i"}

    assert started == {"migrate", "collectstatic", STEADY}
    assert started <= set(get_commands())
