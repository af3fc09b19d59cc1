"""The workflows of GitHub: their schedule is the registry's, and they are safe to run."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from jobs.asked import READERS
from jobs.command import command_of
from jobs.registry import FUNCTIONS, JOBS
from tests.jobs.workflows import (
    ALL,
    CALL,
    FOLDER,
    MONITOR,
    ON,
    STARTERS,
    lines,
    secrets_of,
    steps,
    workflow,
)

KNOWN_SECRETS = {
    "SUPABASE_URL",
    "SUPABASE_SERVICE_ROLE_KEY",
    "EDGE_FUNCTION_URL",
    "CRON_SECRET",
    "SCHEDULER_SECRET_TOKEN",
    "SCHEDULER_SECRET_HEADER",
    "PAGES_SITE_URL",
    "MONITORING_MENTION",
    "GITHUB_TOKEN",
}
PINNED = re.compile(r"actions/[a-z-]+@[0-9a-f]{40}")
TOOLS = Path(sys.executable).parent


def function_of(name: str) -> str:
    """Return the function that a workflow starts first."""
    return lines(name)[0].split()[1]


def test_no_workflow_is_missing_and_none_is_unknown() -> None:
    assert {path.name for path in FOLDER.glob("*.y*ml")} == set(ALL)


@pytest.mark.parametrize("name", STARTERS)
def test_a_workflow_starts_the_job_of_its_name_when_the_registry_says(name: str) -> None:
    job = FUNCTIONS[function_of(name)]

    assert Path(name).stem in job.functions
    assert workflow(name)["name"] == Path(name).stem
    assert workflow(name)[ON]["schedule"] == [{"cron": job.schedule}]


def test_the_monitor_runs_when_the_registry_says() -> None:
    job = JOBS["check_invite_stats"]

    assert workflow(MONITOR)[ON]["schedule"] == [{"cron": job.schedule}]
    assert lines(MONITOR)[-1] == f"python manage.py {job.name}"


@pytest.mark.parametrize("name", ALL)
def test_a_person_may_start_it(name: str) -> None:
    assert "workflow_dispatch" in workflow(name)[ON]


@pytest.mark.parametrize("name", STARTERS)
def test_what_a_person_may_choose_is_what_the_job_takes(name: str) -> None:
    chosen = set(workflow(name)[ON]["workflow_dispatch"]["inputs"])

    assert chosen <= set(READERS)
    assert chosen <= set(command_of(FUNCTIONS[function_of(name)].name).options())


def test_the_queue_takes_a_limit_and_zoom_takes_force_invoke() -> None:
    of_queue = workflow("run-worker-queue.yaml")[ON]["workflow_dispatch"]["inputs"]
    of_zoom = workflow("schedule-create-zoom.yaml")[ON]["workflow_dispatch"]["inputs"]

    assert of_queue["limit"]["default"] == "10"
    assert of_zoom["force_invoke"]["type"] == "boolean"


@pytest.mark.parametrize("name", ALL)
def test_nothing_is_pasted_into_a_shell(name: str) -> None:
    assert lines(name)
    assert not any("${{" in line for line in lines(name))


@pytest.mark.parametrize("name", ALL)
def test_may_do_as_little_as_it_needs(name: str) -> None:
    [job] = workflow(name)["jobs"].values()

    granted = {**workflow(name)["permissions"], **job.get("permissions", {})}

    more = {"issues": "write"} if name == MONITOR else {}
    assert granted == {"contents": "read", **more}


@pytest.mark.parametrize("name", ALL)
def test_runs_what_others_wrote_at_one_commit_and_lends_it_no_login(name: str) -> None:
    used = [step for step in steps(name) if "uses" in step]

    assert all(PINNED.fullmatch(step["uses"]) for step in used)
    assert used[0]["with"]["persist-credentials"] is False


@pytest.mark.parametrize("name", ALL)
def test_keeps_the_names_of_the_secrets(name: str) -> None:
    assert secrets_of(name) <= KNOWN_SECRETS


def test_the_table_explains_every_secret_and_every_workflow() -> None:
    told = (FOLDER / "README.md").read_text(encoding="utf-8")

    unexplained = {name for name in (*KNOWN_SECRETS, *ALL) if f"`{name}`" not in told}

    assert unexplained == set()


@pytest.mark.parametrize("name", ALL)
def test_is_what_githubs_schema_allows(name: str) -> None:
    ended = run_tool("check-jsonschema", "--builtin-schema", "vendor.github-workflows", name)

    assert ended.returncode == 0, ended.stdout


def test_the_auditor_of_workflows_finds_nothing() -> None:
    ended = run_tool("zizmor", "--offline", "--quiet", ".")

    assert ended.returncode == 0, ended.stdout


def run_tool(tool: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a linter that is installed beside Python; skip where it is not."""
    if not (TOOLS / tool).exists():
        pytest.skip(f"{tool} is not installed: see requirements-dev.txt.")
    return subprocess.run(
        [TOOLS / tool, *arguments],
        cwd=FOLDER,
        env={
            "PATH": os.environ["PATH"]
        },  # a GITHUB_TOKEN of the tests would be taken for a real one
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )


def test_the_script_is_one_that_can_be_run() -> None:
    ended = subprocess.run(["bash", "-n", CALL], capture_output=True, text=True, check=False)

    assert CALL.stat().st_mode & 0o111
    assert (ended.returncode, ended.stderr) == (0, "")
