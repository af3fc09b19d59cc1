"""A short-lived token, as a person issues it and a machine uses it."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from egac.tokens import Token, read
from tests.jobs.calling import WORKER, call


def issued(capsys: pytest.CaptureFixture[str], *arguments: str) -> Token:
    call_command("issue_token", *arguments)
    token = read(capsys.readouterr().out.strip())
    assert token
    return token


@pytest.mark.parametrize("name", ["run_worker_queue", "process-queue"])
def test_is_for_one_job_by_any_of_its_names(capsys: pytest.CaptureFixture[str], name: str) -> None:
    assert issued(capsys, name).job == "run_worker_queue"


@pytest.mark.parametrize(("arguments", "minutes"), [((), 15), (("--minutes", "90"), 90)])
def test_ends_after_so_many_minutes(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], minutes: int
) -> None:
    token = issued(capsys, "process-queue", *arguments)

    left = token.ends_at - timezone.now()
    assert timedelta(minutes=minutes - 1) < left <= timedelta(minutes=minutes)


def test_says_beside_the_token_what_it_opens(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("issue_token", "process-queue")

    assert "It opens POST /functions/v1/notification-worker until" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("no-such-job",), "no function starts 'no-such-job'; there are notification-worker,"),
        (("prune_history",), "no function starts 'prune_history'"),
        (("process-queue", "--minutes", "0"), "'0' is no number of minutes from 1 to 1440"),
        (("process-queue", "--minutes", "1441"), "'1441' is no number of minutes"),
        (("process-queue", "--minutes", "soon"), "'soon' is no number of minutes"),
    ],
)
def test_refuses_what_it_cannot_issue(arguments: tuple[str, ...], told: str) -> None:
    with pytest.raises(CommandError, match=told):
        call_command("issue_token", *arguments)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("every_secret", "provider")
def test_opens_its_job_over_http(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("issue_token", "process-queue")
    token = capsys.readouterr().out.strip()

    assert call(WORKER, token=token).status_code == 200
    assert call("generate-t5-invoices", token=token).status_code == 403
