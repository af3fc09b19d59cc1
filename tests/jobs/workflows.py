"""The workflows of GitHub as this repository holds them."""

import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".github" / "workflows"
CALL = ROOT / ".github" / "call-function"
MONITOR = "monitor-invite-stats.yml"
STARTERS = (
    "generate-t5-invoices.yaml",
    "run-escalation-orchestration.yaml",
    "schedule-create-zoom.yaml",
    "generate-monthly-invoices.yaml",
    "escalate-overdue-bookings.yaml",
    "run-worker-queue.yaml",
)
ALL = (*STARTERS, MONITOR)
ON = True  # YAML's older version, which PyYAML reads, takes the word `on` for a switch


def workflow(name: str) -> dict[Any, Any]:
    """Return one workflow, parsed."""
    return yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))


def steps(name: str) -> list[dict[str, Any]]:
    """Return the steps of its one job."""
    [job] = workflow(name)["jobs"].values()
    return job["steps"]


def lines(name: str) -> list[str]:
    """Return what its steps type into a shell."""
    return [step["run"] for step in steps(name) if "run" in step]


def secrets_of(name: str) -> set[str]:
    """Return the secrets that it reads."""
    return set(re.findall(r"secrets\.([A-Z_]+)", (FOLDER / name).read_text(encoding="utf-8")))
