"""The crontab of the user: our lines written, verified, and the old ones restored on trouble.

django-crontab makes the lines and knows its own again. Reading and writing are ours: it asks
neither for the exit status of `crontab`.
"""

import os
import subprocess
import sys
import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from django.conf import settings
from django_crontab.crontab import Crontab

from jobs.cronjobs import MANAGE, for_cron

ZONE_FILE = Path("/etc/localtime")
MONTH = timedelta(days=30)
CRONS_PATH = "/usr/bin:/bin"


class Unready(Exception):
    """Cron could not do its work here; nothing was touched."""


class CrontabError(Exception):
    """The crontab could not be read or written; it is as it was."""


def refuse_another_zone(now: datetime, zone_file: Path = ZONE_FILE) -> None:
    """Raise Unready where cron's clock, the machine's own, is not UTC all year round."""
    if not zone_file.exists():
        return  # no zone is UTC
    with zone_file.open("rb") as opened:
        zone = ZoneInfo.from_file(opened)
    offsets = [(now + MONTH * month).astimezone(zone).utcoffset() for month in range(12)]
    if any(offsets):
        raise Unready(
            f"The schedule is in UTC, and cron would read it in the zone of {zone_file.resolve()}. "
            "Type `timedatectl set-timezone UTC`, restart cron and try again; or use the systemd "
            "timers of deploy/systemd, which name their zone."
        )


def refuse_what_would_not_start(manage: Path = MANAGE) -> None:
    """Raise Unready where the project does not start with the few variables that cron gives."""
    kept = {name: os.environ.get(name, "") for name in ("HOME", "LOGNAME")}
    started = subprocess.run(
        [sys.executable, str(manage), "check", "--database", "default"],
        cwd=kept["HOME"] or "/",
        env={**kept, "PATH": CRONS_PATH, "SHELL": "/bin/sh"},
        capture_output=True,
        text=True,
        check=False,
    )
    if started.returncode:
        said = started.stderr.strip() or started.stdout.strip() or "It does not say why."
        why = said.splitlines()[-1]
        raise Unready(
            f"Started by cron, which knows no variables of this shell, it would fail: {why} "
            f"Write the settings into {manage.parent / '.env'}."
        )


def make_log_folder() -> None:
    """Make the folder of the logs; raise Unready where this user may not write into it."""
    folder = Path(settings.CRON_LOG_DIR)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass  # so a log can be made there
    except OSError as error:
        raise Unready(
            f"Logs cannot be written to {folder} ({error.strerror}). Set CRON_LOG_DIR to a folder "
            "that this user may write."
        ) from error


def install() -> None:
    """Put the registry's lines in the place of ours that stand there; others stay as they are.

    Raises Unready where cron could not read our paths, and CrontabError on trouble; the crontab
    is then as it was.
    """
    before = read()
    wanted = with_our_lines(before)
    try:
        write(wanted)
        if read() != wanted:
            raise CrontabError("crontab did not keep what was written. The old one is back.")
    except CrontabError:
        write(before)
        raise


def with_our_lines(text: str) -> str:
    """Return a crontab with the registry's lines instead of ours of before."""
    # Above verbosity 0 it looks each of its old lines up in the registry, and breaks where one is
    # gone, with half of the lines removed.
    crontab = Crontab(verbosity=0)
    crontab.settings.PYTHON_EXECUTABLE = for_cron(sys.executable)
    crontab.settings.DJANGO_MANAGE_PATH = for_cron(MANAGE)
    if any("#" in path for path in (sys.executable, str(MANAGE), settings.CRON_LOG_DIR)):
        raise Unready(f"A crontab cannot name a path with a # in it: move {MANAGE.parent}.")
    whole = text if text[-1:] in ("", "\n") else f"{text}\n"
    crontab.crontab_lines = whole.splitlines(keepends=True)
    crontab.remove_jobs()
    crontab.add_jobs()
    return "".join(crontab.crontab_lines)


def read() -> str:
    """Return the user's crontab, "" where there is none."""
    listed = _crontab("-l")
    if listed.returncode == 0:
        return os.fsdecode(listed.stdout)
    if b"no crontab for" in listed.stderr:
        return ""
    raise CrontabError(f"crontab -l failed: {_words(listed.stderr)}")


def write(text: str) -> None:
    """Make `text` the user's crontab."""
    written = _crontab("-", text)
    if written.returncode:
        raise CrontabError(f"crontab refused the lines: {_words(written.stderr)}")


def _crontab(argument: str, text: str = "") -> subprocess.CompletedProcess[bytes]:
    program = settings.CRONTAB_EXECUTABLE
    try:
        return subprocess.run(
            [program, argument],
            input=os.fsencode(text),
            env={**os.environ, "LC_ALL": "C"},
            capture_output=True,
            check=False,
        )
    except OSError as error:
        raise Unready(
            f"{program} cannot be started: install cron (on Debian: apt-get install cron), or use "
            "the systemd timers of deploy/systemd."
        ) from error


def _words(stderr: bytes) -> str:
    return " ".join(os.fsdecode(stderr).split())
