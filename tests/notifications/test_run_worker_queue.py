"""The command run_worker_queue: its words, its exit status, and how far one pass goes."""

import json
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command, execute_from_command_line
from pytest_django.fixtures import Settings

from notifications.models import Notification, Worker
from tests.egac.threads import side_by_side
from tests.notifications.factories import email, queue, queue_emails, queue_whatsapps
from tests.notifications.loads import SINGLE
from tests.providers.gate import Gate
from tests.providers.server import ProviderServer

pytestmark = pytest.mark.django_db(transaction=True)

Status = Notification.Status
COMMAND = "run_worker_queue"


def run(*arguments: str) -> str:
    """Run one pass and return what it printed."""
    out = StringIO()
    call_command(COMMAND, *arguments, stdout=out)
    return out.getvalue()


@pytest.mark.parametrize("option", ["--limit", "--budget-ms", "--concurrency"])
@pytest.mark.parametrize("text", ["0", "-1", "abc", "1.5", "", "10" * 20])
def test_a_number_that_is_none_is_a_sentence_and_exit_2(
    option: str, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        execute_from_command_line(["manage.py", COMMAND, option, text])

    assert end.value.code == 2
    told = capsys.readouterr().err.splitlines()[-1]
    assert told.endswith(f"{option}: '{text}' is no whole number from 1 to 1,000,000,000.")


@pytest.mark.parametrize(
    "option", [["--dry-run"], ["--limit", "5"], ["--budget-ms", "5"], ["--json"]]
)
def test_a_loop_refuses_what_bounds_a_pass_and_sends_nothing(
    option: list[str], provider: ProviderServer
) -> None:
    queue_emails(1)

    with pytest.raises(CommandError, match=f"--loop .*{option[0]} is for one pass") as end:
        run("--loop", *option)

    assert end.value.returncode == 2
    assert provider.resend.calls == []


def test_a_pass_over_an_empty_queue_says_so_and_counts_as_a_sign_of_life() -> None:
    told = run()

    assert told == "Messages: 0 sent, 0 not; 0 still due.\n"
    assert Worker.objects.filter(kind=Worker.Kind.PASS, recorded=0).count() == 1


def test_a_pass_takes_a_hundred_and_says_how_many_are_left(provider: ProviderServer) -> None:
    queue_emails(70)
    queue_whatsapps(70)

    told = run()

    assert told == "Messages: 100 sent, 0 not; 40 still due.\n"


def test_a_limit_counts_both_channels(provider: ProviderServer) -> None:
    queue_emails(5)
    queue_whatsapps(2)

    result = json.loads(run("--json", "--limit", "4"))

    assert (result["processed"], result["left"]) == (4, 3)
    assert len(provider.whatsapp.accepted) == 2


@pytest.mark.parametrize(("alone", "sent_alone"), [(0, 0), (1, 1), (9, 3)])
def test_e_mails_that_go_alone_have_their_share_beside_a_backlog(
    provider: ProviderServer, alone: int, sent_alone: int
) -> None:
    queue_emails(9)
    SINGLE.queue(alone)

    run("--limit", "6")

    assert SINGLE.rows.filter(status=Status.COMPLETED).count() == sent_alone
    assert Notification.objects.filter(status=Status.COMPLETED).count() == 6


def test_one_channel_leaves_the_other_alone(provider: ProviderServer) -> None:
    queue(email())
    queue_whatsapps(1)

    told = run("--channel", "whatsapp")

    assert told == "Messages: 1 sent, 0 not; 1 still due.\n"
    assert provider.resend.calls == []


def test_tells_of_each_message_that_was_not_sent(provider: ProviderServer) -> None:
    broken = queue({"channel": "email", "subject": "Hello"})

    [line] = json.loads(run("--json"))["results"]

    assert (line["id"], line["ok"], line["status"]) == (broken.pk, False, "failed")
    assert line["error"].startswith("Its payload names no recipient")


def test_as_many_calls_are_open_as_its_option_says(
    provider: ProviderServer, settings: Settings
) -> None:
    settings.WORKER_CONCURRENCY = 1
    queue_whatsapps(6)
    gate = provider.whatsapp.gate = Gate.before_accepting()

    def let_six_in() -> None:
        gate.wait_for_arrival(6)
        gate.let_go()

    works: list[Callable[[], Any]] = [lambda: run("--concurrency", "6"), let_six_in]
    side_by_side(2, lambda number: works[number]())

    assert Notification.objects.filter(status=Status.COMPLETED).count() == 6
