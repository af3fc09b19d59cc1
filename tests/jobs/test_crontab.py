"""The crontab: the traps of django-crontab and of cron itself, each shut.

A stand-in takes the place of the program `crontab`; test_cron.py asks the real one.
"""

import re
import shlex
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings

from jobs import crontab
from jobs.cronjobs import MANAGE, cron_jobs, for_cron
from jobs.crontab import CrontabError, Unready
from jobs.registry import JOBS
from tests.jobs.crontab_stand_in import make_crontab

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
ZONES = Path("/usr/share/zoneinfo")
FOREIGN = "MAILTO=amelia\n0 4 * * * /usr/local/bin/backup  # of the house\r\n#*/5 * * * * off\n"


@pytest.fixture
def table(tmp_path: Path, settings: Settings) -> Path:
    return use_crontab(tmp_path, settings)


def use_crontab(folder: Path, settings: Settings, keep: str = "cat") -> Path:
    program, table = make_crontab(folder, keep=keep)
    settings.CRONTAB_EXECUTABLE = str(program)
    return table


def ours(text: str, settings: Settings) -> list[tuple[str, str]]:
    """Return the schedule and the command of each line of ours."""
    ending = f" # {settings.CRONTAB_COMMENT}"
    lines = [line.removesuffix(ending) for line in text.split("\n") if line.endswith(ending)]
    return [(" ".join(line.split(" ")[:5]), line.split(" ", 5)[5]) for line in lines]


def test_gives_each_job_one_line_with_its_schedule_and_a_log(
    table: Path, settings: Settings
) -> None:
    crontab.install()

    lines = ours(table.read_text(), settings)
    assert [schedule for schedule, _ in lines] == [job.schedule for job in JOBS.values()]
    logs = [f"{settings.CRON_LOG_DIR}/{job}.log" for job in JOBS]
    assert [command.split(" >> ")[1] for _, command in lines] == [
        f"{for_cron(log)} 2>&1" for log in logs
    ]


def test_a_line_names_only_absolute_paths(settings: Settings) -> None:
    for _, command in ours(crontab.with_our_lines(""), settings):
        python, manage, *_, log, _ = shlex.split(command.replace(r"\%", "%"))

        assert python == sys.executable
        assert manage == str(MANAGE)
        assert log.startswith(f"{settings.CRON_LOG_DIR}/")


def test_leaves_foreign_lines_as_they_are(table: Path) -> None:
    table.write_bytes(FOREIGN.encode())

    crontab.install()

    assert table.read_bytes().startswith(FOREIGN.encode())
    assert table.read_text().count("\n") == FOREIGN.count("\n") + len(JOBS)


def test_begins_a_line_of_its_own_after_a_last_line_without_an_end(table: Path) -> None:
    table.write_text("0 4 * * * backup")

    crontab.install()

    assert table.read_text().startswith("0 4 * * * backup\n")


def test_a_second_install_changes_nothing(table: Path) -> None:
    table.write_text(FOREIGN)
    crontab.install()
    first = table.read_text()

    crontab.install()

    assert table.read_text() == first


def test_after_a_change_of_jobs_no_stale_line_is_left_and_none_is_lost(
    table: Path, settings: Settings
) -> None:
    table.write_text(FOREIGN)
    crontab.install()
    before = ours(table.read_text(), settings)

    rescheduled, gone, *others = cron_jobs()
    settings.CRONJOBS = [("7 * * * *", *rescheduled[1:]), *others]
    crontab.install()

    after = ours(table.read_text(), settings)
    assert after[1:] == before[2:]
    assert after[0][0] == "7 * * * *"
    assert after[0][1] != before[0][1]
    assert table.read_bytes().startswith(FOREIGN.encode())


def test_two_projects_leave_each_other_alone(table: Path, settings: Settings) -> None:
    crontab.install()
    first = ours(table.read_text(), settings)

    settings.CRONTAB_COMMENT = "EGAC Ops in another folder"
    for _ in range(2):
        crontab.install()

    assert len(ours(table.read_text(), settings)) == len(JOBS)
    settings.CRONTAB_COMMENT = f"EGAC Ops in {MANAGE.parent}"
    assert ours(table.read_text(), settings) == first


def test_restores_the_old_crontab_where_a_line_was_lost(tmp_path: Path, settings: Settings) -> None:
    table = use_crontab(tmp_path, settings, keep="grep -v prune_history")
    table.write_text(FOREIGN)

    with pytest.raises(CrontabError, match="did not keep"):
        crontab.install()

    assert table.read_bytes() == FOREIGN.encode()


def test_tells_why_crontab_refused_the_lines(tmp_path: Path, settings: Settings) -> None:
    table = use_crontab(tmp_path, settings, keep='echo "bad minute" >&2; false')
    table.write_text(FOREIGN)

    with pytest.raises(CrontabError, match="refused the lines: bad minute"):
        crontab.install()

    assert table.read_bytes() == FOREIGN.encode()


def test_does_not_take_a_forbidden_crontab_for_an_empty_one(
    tmp_path: Path, settings: Settings
) -> None:
    table = use_crontab(tmp_path, settings)
    Path(settings.CRONTAB_EXECUTABLE).write_text("#!/bin/sh\necho 'not allowed' >&2; exit 1\n")

    with pytest.raises(CrontabError, match="-l failed: not allowed"):
        crontab.install()

    assert not table.exists()


def test_says_what_to_install_where_there_is_no_crontab(settings: Settings) -> None:
    settings.CRONTAB_EXECUTABLE = "/nonexistent/crontab"

    with pytest.raises(Unready, match="install cron"):
        crontab.install()


def test_what_cron_could_not_do_is_wrong_usage(settings: Settings) -> None:
    settings.CRONTAB_EXECUTABLE = "/nonexistent/crontab"

    with pytest.raises(CommandError) as refused:
        call_command("install_schedule")

    assert refused.value.returncode == 2


def test_refuses_a_path_that_would_begin_a_comment(table: Path, settings: Settings) -> None:
    settings.CRON_LOG_DIR = "/var/log/club #1"

    with pytest.raises(Unready, match="with a # in it"):
        crontab.install()

    assert not table.exists()


@pytest.mark.parametrize("path", ["/srv/egac", "/srv/my club", "/srv/50%", "/srv/o'clock/$HOME"])
def test_a_path_reaches_the_shell_as_it_is(path: str) -> None:
    as_cron_hands_it_on = for_cron(path).replace(r"\%", "%")

    said = subprocess.run(
        ["/bin/sh", "-c", f"printf %s {as_cron_hands_it_on}"], capture_output=True, text=True
    )

    assert said.stdout == path
    assert not re.search(r"(?<!\\)%", for_cron(path))


@pytest.mark.parametrize("zone", ["Etc/UTC", "Africa/Abidjan"])
def test_takes_a_machine_on_utc(zone: str) -> None:
    crontab.refuse_another_zone(NOW, ZONES / zone)


def test_takes_a_machine_without_a_zone(tmp_path: Path) -> None:
    crontab.refuse_another_zone(NOW, tmp_path / "localtime")


@pytest.mark.parametrize("zone", ["Europe/London", "America/New_York", "Asia/Kolkata"])
def test_refuses_a_machine_off_utc_in_any_part_of_the_year(zone: str) -> None:
    with pytest.raises(Unready, match=f"zone of .*{zone}.*timedatectl set-timezone UTC"):
        crontab.refuse_another_zone(NOW, ZONES / zone)


def test_refuses_a_project_that_needs_the_variables_of_this_shell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manage = tmp_path / "manage.py"
    manage.write_text("import os, sys\n'ONLY_HERE' in os.environ or sys.exit('It is not set.')\n")
    monkeypatch.setenv("ONLY_HERE", "1")

    with pytest.raises(Unready, match=r"It is not set\. Write the settings into .*\.env"):
        crontab.refuse_what_would_not_start(manage)


def test_takes_a_project_that_starts_by_itself(tmp_path: Path) -> None:
    manage = tmp_path / "manage.py"
    manage.write_text("import sys\nassert sys.argv[1] == 'check'\n")

    crontab.refuse_what_would_not_start(manage)


def test_makes_the_folder_of_the_logs(tmp_path: Path, settings: Settings) -> None:
    settings.CRON_LOG_DIR = str(tmp_path / "var" / "logs")

    crontab.make_log_folder()

    assert list((tmp_path / "var" / "logs").iterdir()) == []


def test_says_where_logs_cannot_be_written(tmp_path: Path, settings: Settings) -> None:
    (tmp_path / "var").write_text("a file")
    settings.CRON_LOG_DIR = str(tmp_path / "var" / "logs")

    with pytest.raises(Unready, match="Set CRON_LOG_DIR"):
        crontab.make_log_folder()
