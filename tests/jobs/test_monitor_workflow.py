"""The monitor as its workflow runs it: a process of its own, without a database."""

import os
import subprocess
import sys

import pytest

from invites.models import Invite
from tests.invites.factories import InviteFactory
from tests.jobs.workflows import MONITOR, ROOT, lines, steps
from tests.providers.server import ProviderServer

pytestmark = pytest.mark.django_db(transaction=True)


def environment_of_last_step(secrets: dict[str, str], provider: ProviderServer) -> dict[str, str]:
    """Return what the last step finds: its own variables, and those that GitHub sets."""
    given = steps(MONITOR)[-1]["env"]
    names = {f"${{{{ secrets.{name} }}}}": value for name, value in secrets.items()}
    return {
        "PATH": os.environ["PATH"],
        "GITHUB_API_URL": provider.url,
        "GITHUB_REPOSITORY": "club/site",
        **{name: names.get(value, value) for name, value in given.items()},
    }


def monitored(site: dict[str, str], provider: ProviderServer, **changes: str) -> tuple[int, str]:
    """Run the last step of the workflow and return its exit status and the log."""
    secrets = {
        "PAGES_SITE_URL": site["SUPABASE_URL"],
        "CRON_SECRET": site["CRON_SECRET"],
        "MONITORING_MENTION": "@club/team",
        "GITHUB_TOKEN": "token_of_the_run",
        **changes,
    }
    _python, *arguments = lines(MONITOR)[-1].split()
    ended = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=environment_of_last_step(secrets, provider),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )
    assert site["CRON_SECRET"] not in ended.stdout
    return ended.returncode, ended.stdout


def test_is_green_while_none_has_failed(site: dict[str, str], provider: ProviderServer) -> None:
    status, log = monitored(site, provider)

    assert (status, provider.github.issues) == (0, []), log
    assert log.startswith('Invite counts: {"pending": 0')


def test_is_red_and_opens_one_issue_while_some_have_failed(
    site: dict[str, str], provider: ProviderServer
) -> None:
    InviteFactory(status=Invite.Status.FAILED)

    statuses = [monitored(site, provider)[0] for _ in range(2)]

    [issue] = provider.github.issues
    assert statuses == [1, 1]
    assert issue.labels == ["monitoring"]
    assert issue.body.startswith("@club/team")
    assert issue.comments == []


def test_closes_its_issue_when_it_is_over(site: dict[str, str], provider: ProviderServer) -> None:
    invite = InviteFactory(status=Invite.Status.FAILED)
    monitored(site, provider)
    Invite.objects.filter(pk=invite.pk).update(status=Invite.Status.SENT)

    status, log = monitored(site, provider)

    assert (status, provider.github.issues[0].state) == (0, "closed"), log


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"CRON_SECRET": "wrong"}, 3),
        ({"PAGES_SITE_URL": "http://127.0.0.1:9"}, 5),
    ],
)
def test_is_red_while_it_sees_nothing(
    site: dict[str, str], provider: ProviderServer, changes: dict[str, str], status: int
) -> None:
    ended, log = monitored(site, provider, **changes)

    assert ended == status, log
    assert len(provider.github.issues) == 1


@pytest.mark.parametrize("missing", ["PAGES_SITE_URL", "CRON_SECRET"])
def test_names_a_secret_that_is_missing(missing: str) -> None:
    given = {"PAGES_SITE_URL": "https://club.example", "CRON_SECRET": "x", missing: ""}

    ended = subprocess.run(
        ["bash", "-e", "-c", lines(MONITOR)[0]],
        env={"PATH": os.environ["PATH"], **given},
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 1
    assert ended.stdout.startswith(f"::error::The secret {missing} is not set.")
