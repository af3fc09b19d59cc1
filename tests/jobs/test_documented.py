"""docs/scheduled-jobs.md agrees with the registry."""

import re

import pytest

from jobs.pg_cron import address
from jobs.registry import JOBS, Job
from tests.jobs.documented import DOCUMENT, ROOT, plain_lines

JOB = pytest.mark.parametrize("job", JOBS.values(), ids=lambda job: job.name)


def row_of(job: Job) -> list[str]:
    """Return the cells of a job's row in the first table."""
    row = re.search(rf"^\| `{job.name}` \|.*$", DOCUMENT.read_text(), re.MULTILINE)
    assert row
    return [cell.strip() for cell in row[0].strip("|").split("|")]


def in_short(schedule: str) -> str:
    if found := re.fullmatch(r"\*/(\d+) \* \* \* \*", schedule):
        return f"every {found[1]} minutes"
    minute, hour, *_ = schedule.split()
    return f"{hour:0>2}:{minute:0>2}"


@JOB
def test_the_table_tells_when_a_job_runs_and_what_starts_it(job: Job) -> None:
    _name, _what, when, addresses = row_of(job)

    assert when == in_short(job.schedule)
    assert (address(job) or "–") in addresses
    assert all(function in addresses for function in job.functions)


def test_the_plain_lines_are_those_of_the_registry() -> None:
    lines = plain_lines()

    assert {job: schedule for job, (schedule, _) in lines.items()} == {
        job.name: job.schedule for job in JOBS.values()
    }


def test_the_operator_reads_the_same_line() -> None:
    there = plain_lines(ROOT / "docs" / "operations.md")

    assert there == {"retry_invites": plain_lines()["retry_invites"]}
