"""The system checks of the secrets that start jobs."""

from typing import Any

import pytest
from pytest_django.fixtures import Settings

from jobs.checks import check_job_tokens, check_scheduler_header, check_service_role_key

LONG = "x" * 16


@pytest.mark.parametrize(
    ("tokens", "wrong"),
    [
        ({"no-such-job": (LONG,)}, "JOB_TOKENS of 'no-such-job': there is no such job;"),
        ({"prune_history": (LONG,)}, "JOB_TOKENS of 'prune_history': no function starts this job"),
        ({"process-queue": ("x" * 15,)}, "JOB_TOKENS of 'process-queue': a token is shorter than"),
        ({"process-queue": (LONG, "x")}, "JOB_TOKENS of 'process-queue': a token is shorter than"),
    ],
)
def test_refuses_a_token_that_opens_nothing_or_is_easily_guessed(
    settings: Settings, tokens: Any, wrong: str
) -> None:
    settings.JOB_TOKENS = tokens

    [error] = check_job_tokens()

    assert (error.id, error.is_serious()) == ("jobs.E001", True)
    assert error.msg.startswith(wrong)
    assert "Write for example JOB_TOKENS=" in str(error.hint)
    assert LONG not in f"{error.msg}{error.hint}"


@pytest.mark.parametrize("name", ["run_worker_queue", "run-worker-queue", "process-queue"])
def test_a_job_and_each_of_its_functions_may_have_tokens(settings: Settings, name: str) -> None:
    settings.JOB_TOKENS = {name: (LONG, LONG)}

    assert check_job_tokens() == []


@pytest.mark.parametrize("name", ["x token", "x-token:", "Überschrift", "x\n"])
def test_refuses_a_header_that_cannot_be(settings: Settings, name: str) -> None:
    settings.SCHEDULER_SECRET_HEADER = name

    [error] = check_scheduler_header()

    assert error.id == "jobs.E002"
    assert "Write for example SCHEDULER_SECRET_HEADER=" in str(error.hint)


@pytest.mark.parametrize("name", ["", "x-scheduler-token", "Authorization"])
def test_takes_a_header_that_can_be(settings: Settings, name: str) -> None:
    settings.SCHEDULER_SECRET_HEADER = name

    assert check_scheduler_header() == []


def test_suggests_tokens_in_the_place_of_the_one_key(settings: Settings) -> None:
    settings.SERVICE_ROLE_KEY = LONG

    [suggestion] = check_service_role_key()

    assert (suggestion.id, suggestion.is_serious()) == ("jobs.I001", False)
    assert "JOB_TOKENS=" in str(suggestion.hint)


def test_suggests_nothing_where_that_key_is_not_set(settings: Settings) -> None:
    settings.SERVICE_ROLE_KEY = ""

    assert check_service_role_key() == []
