"""The script by which the workflows start a job: red unless the job did all that it had to."""

import json
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from jobs.models import JobRun
from jobs.services import pause_job
from tests.jobs.calling import SECRETS
from tests.jobs.workflows import CALL
from tests.notifications.factories import queue_emails

pytestmark = pytest.mark.skipif(
    not (shutil.which("curl") and shutil.which("jq")), reason="curl and jq are not both installed."
)

QUEUE = ("process-queue", "SUPABASE_URL", "SUPABASE_SERVICE_ROLE_KEY")
TOKEN = str(SECRETS["SERVICE_ROLE_KEY"])
PATH = os.environ["PATH"]
live = pytest.mark.django_db(transaction=True)


def called(environment: dict[str, str], *arguments: str, inputs: str = "null") -> tuple[int, str]:
    """Run the script as a step does, and return its exit status and the log."""
    ended = subprocess.run(
        ["bash", CALL, *(arguments or QUEUE)],
        env={**environment, "INPUTS": inputs},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )
    assert TOKEN not in ended.stdout
    return ended.returncode, ended.stdout


@live
@pytest.mark.parametrize(
    ("inputs", "sent"),
    [("null", 10), ("{}", 10), ("", 10), ('{"limit":"","dry_run":null}', 10), ('{"limit":"3"}', 3)],
)
def test_starts_the_job_with_what_was_chosen(site: dict[str, str], inputs: str, sent: int) -> None:
    queue_emails(12)

    status, log = called(site, inputs=inputs)

    assert status == 0, log
    assert json.loads(log)["processed"] == sent
    assert JobRun.objects.get().actor == "SERVICE_ROLE_KEY"


@live
def test_shows_the_counts_and_no_line_about_a_row(site: dict[str, str]) -> None:
    queue_emails(1)

    _status, log = called(site)

    assert set(json.loads(log)) == {
        "ok", "success", "processed", "left", "job", "dry_run", "run_id",
    }  # fmt: skip


@live
@pytest.mark.parametrize("ending", ["", "/", "/functions/v1", "/functions/v1/"])
def test_takes_the_address_with_and_without_its_path(site: dict[str, str], ending: str) -> None:
    site["SUPABASE_URL"] += ending

    assert called(site)[0] == 0


@live
def test_what_a_person_chose_is_data_and_no_command(site: dict[str, str]) -> None:
    status, log = called(site, inputs=json.dumps({"limit": '"; touch /tmp/it; $(id) `id` \n::x'}))

    assert status == 1
    assert log.startswith("::error::The site answered 400: limit is ")
    assert log.count("\n") == 1


@live
def test_a_paused_job_is_green_and_says_so(site: dict[str, str]) -> None:
    pause_job("run_worker_queue", by="amelia")

    status, log = called(site)

    assert status == 0
    assert "::notice::The job is paused, so nothing was done." in log


@live
@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"SUPABASE_SERVICE_ROLE_KEY": "wrong"}, "The site answered 401: The secret is wrong."),
        ({"SUPABASE_SERVICE_ROLE_KEY": ""}, "The secret SUPABASE_SERVICE_ROLE_KEY is not set. Add"),
        ({"SUPABASE_URL": ""}, "The secret SUPABASE_URL is not set. Add it under Settings,"),
        ({"SUPABASE_URL": "http://club.example"}, "SUPABASE_URL does not begin with https://"),
        ({"SUPABASE_URL": "http://127.0.0.1:9"}, "The site could not be reached, or did"),
    ],
)
def test_is_red_and_says_why(site: dict[str, str], changes: dict[str, str], error: str) -> None:
    status, log = called({**site, **changes})

    assert status == 1
    assert f"::error::{error}" in log
    assert not JobRun.objects.exists()


class Canned(BaseHTTPRequestHandler):
    """A site that answers the same to every call."""

    def do_POST(self) -> None:
        status, body = self.server.answer  # type: ignore[attr-defined]
        self.server.heard.update(self.headers)  # type: ignore[attr-defined]
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Print nothing."""


@contextmanager
def site_that_answers(status: int, body: Any) -> Iterator[tuple[dict[str, str], dict[str, str]]]:
    """Yield the environment of its callers, and the headers that they sent."""
    told = body if isinstance(body, bytes) else json.dumps(body).encode()
    with HTTPServer(("127.0.0.1", 0), Canned) as server:
        server.answer, server.heard = (status, told), {}  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            url = f"http://127.0.0.1:{server.server_port}"
            environment = {"PATH": PATH, "SUPABASE_URL": url, "SUPABASE_SERVICE_ROLE_KEY": TOKEN}
            yield environment, server.heard  # type: ignore[attr-defined]
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("status", "body", "exit_status", "told"),
    [
        (200, {"success": True, "created_count": 2, "error_count": 0}, 0, '"created_count":2'),
        (200, {"success": True, "candidates": 1, "skipped": 3}, 0, '"skipped":3'),
        (200, {"success": True, "error_count": 2}, 1, "::error::Rows that could not be done: 2."),
        (200, {"success": True, "total_errors": 1}, 1, "::error::Rows that could not be done: 1."),
        (200, {"success": False}, 1, "::error::The site did not say that the job succeeded."),
        (200, {}, 1, "::error::The site did not say that the job succeeded."),
        (200, [], 1, "::error::The site answered 200, and no JSON object."),
        (200, b"<html>", 1, "::error::The site answered 200, and no JSON object."),
        (200, b"", 1, "::error::The site answered 200, and no JSON object."),
        (302, b"", 1, "::error::The site answered 302, and no JSON object."),
        (409, {"error": "it runs already"}, 0, "::notice::it runs already"),
        (500, {"error": "it broke\n::set-env x"}, 1, "::error::The site answered 500: it broke ::"),
        (503, {}, 1, "::error::The site answered 503: it says not why"),
    ],
)
def test_reads_the_answer(status: int, body: Any, exit_status: int, told: str) -> None:
    with site_that_answers(status, body) as (environment, _heard):
        ended, log = called(environment)

    assert (ended, told in log) == (exit_status, True), log


@pytest.mark.parametrize(
    ("header", "sent"),
    [
        ("", {"authorization": f"Bearer {TOKEN}"}),
        ("X-Scheduler-Token", {"x-scheduler-token": TOKEN}),
    ],
)
def test_carries_the_secret_in_its_header_alone(header: str, sent: dict[str, str]) -> None:
    with site_that_answers(200, {"success": True}) as (environment, heard):
        called({**environment, "HEADER": header})

    assert {name.lower(): value for name, value in heard.items() if TOKEN in value} == sent
