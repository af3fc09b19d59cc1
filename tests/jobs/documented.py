"""The crontab lines that our documents tell people to write."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs" / "scheduled-jobs.md"
LINE = re.compile(
    r"^ *(\S+ \S+ \S+ \S+ \S+) (cd /srv/egac && \S+ manage\.py (\S+) .*)$", re.MULTILINE
)


def plain_lines(document: Path = DOCUMENT) -> dict[str, tuple[str, str]]:
    """Return the schedule and the command of each job's line."""
    return {job: (when, command) for when, command, job in LINE.findall(document.read_text())}
