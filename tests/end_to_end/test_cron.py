"""Debian's cron, a throwaway user and a copy of the project: what is installed is what runs."""

import json
import os
import pwd
import re
import shutil
import site
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.clone import SYSTEM_PATH, Clone
from tests.providers.client import eventually
from tests.providers.server import ProviderServer

pytestmark = pytest.mark.ci_only

SECONDS = 100  # cron looks at its clock once a minute, and the job starts a database
FOREIGN = "0 4 1 1 * /bin/true # amelia's own\n"
PLAIN = "* * * * * cd {folder} && .venv/bin/python manage.py check_invite_stats --trigger cron\n"
NOT_NEEDED = shutil.ignore_patterns("playwright*", "*mypy*", "ruff*", "uv*", "__pycache__")
ENQUIRIES = "name,email,phone,interest,date_of_birth,source,enquired_on,note\n" + (
    "Amelia Field,amelia@families.example,,Training,,web,2026-11-01,\n"
)


class Project(Clone):
    """A copy of the project with a virtual environment that its user can reach."""

    def make(self, provider: ProviderServer) -> None:
        self.lay()
        self.run(self.reachable_python(), "-m", "venv", "--without-pip", ".venv")
        packages = next((self.folder / ".venv" / "lib").glob("python*")) / "site-packages"
        shutil.copytree(site.getsitepackages()[0], packages, ignore=NOT_NEEDED, dirs_exist_ok=True)
        (self.folder / ".env").write_text(
            f"DEBUG=1\nRESEND_API_KEY=re_cron\nRESEND_FROM=EGAC <noreply@club.example>\n"
            f"RESEND_API_URL={provider.url}\nSITE_BASE_URL=https://club.example\n"
        )

    def reachable_python(self) -> str:
        """Return a Python of our version; the one that runs the tests may lie in a closed home."""
        ours = f"{sys.version_info.major}.{sys.version_info.minor}"
        for path in (os.path.realpath(sys.executable), f"/usr/bin/python{ours}"):
            try:
                if self.run(path, "--version").startswith(f"Python {ours}."):
                    return path
            except (OSError, subprocess.CalledProcessError):
                continue
        pytest.fail(f"No Python {ours} that another user may start: install it below /usr.")

    def run(self, *command: str, given: str = "") -> str:
        """Run a command as the user, with next to no variables, and return what it prints."""
        return subprocess.run(
            command,
            cwd=self.folder,
            env={"PATH": SYSTEM_PATH, "HOME": self.user.pw_dir, "LOGNAME": self.user.pw_name},
            input=given,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
            user=self.user.pw_uid,
            group=self.user.pw_gid,
            extra_groups=[],
        ).stdout

    def manage(self, *arguments: str) -> str:
        return self.run(".venv/bin/python", "manage.py", *arguments)

    def reschedule(self, job: str, schedule: str) -> None:
        """Change a job in the registry, as an update of the project does."""
        registry = self.folder / "jobs" / "registry.py"
        row = re.compile(rf'("{job}",\s+"[^"]+",\s+)"[^"]+"')
        text, count = row.subn(rf'\1"{schedule}"', registry.read_text())
        assert count == 1
        registry.write_text(text)

    def crontab(self) -> str:
        return self.run("crontab", "-l")


@pytest.fixture
def cron() -> Iterator[None]:
    """Let cron run; where the machine has one running already, ours ends by itself."""
    daemon = subprocess.Popen(["/usr/sbin/cron", "-f"], stderr=subprocess.DEVNULL)
    yield
    daemon.terminate()
    daemon.wait(10)


@pytest.fixture
def project(provider: ProviderServer) -> Iterator[Project]:
    name = f"egaccron{os.getpid()}"
    subprocess.run(["useradd", "--create-home", name], check=True)
    folder = Path(tempfile.mkdtemp(prefix="egac-", dir="/tmp"))
    folder.chmod(0o755)
    project = Project(folder / "egac", folder / "log", pwd.getpwnam(name))
    try:
        project.make(provider)
        yield project
    finally:
        subprocess.run(["crontab", "-r", "-u", name], check=False, stderr=subprocess.DEVNULL)
        subprocess.run(["userdel", "--remove", name], check=True, stderr=subprocess.DEVNULL)
        shutil.rmtree(folder)


def last_run(project: Project, job: str) -> dict[str, str]:
    jobs = json.loads(project.manage("list_jobs", "--json"))["jobs"]
    return next(each["last_run"] for each in jobs if each["job"] == job)


def test_cron_does_what_the_registry_says(
    project: Project, provider: ProviderServer, cron: None
) -> None:
    foreign = FOREIGN + PLAIN.format(folder=project.folder)
    project.manage("migrate", "--verbosity", "0")
    (project.folder / "enquiries.csv").write_text(ENQUIRIES)
    project.manage("import_enquiries", "enquiries.csv", "--invite")
    project.run("crontab", "-", given=foreign)
    project.manage("install_schedule")
    first = project.crontab().removeprefix(foreign).splitlines()

    project.reschedule("retry_invites", "* * * * *")
    project.manage("install_schedule")

    assert project.crontab().startswith(foreign)
    second = project.crontab().removeprefix(foreign).splitlines()
    assert second[1:] == first[1:]
    assert second[0].startswith("* * * * * ")
    assert first[0].startswith("*/15 * * * * ")
    assert len(second) == len(set(second)) == len(first)
    assert eventually(lambda: len(provider.resend.accepted) == 1, seconds=SECONDS)
    assert eventually(lambda: "1 sent" in log_of(project, "retry_invites"), seconds=SECONDS)
    sent = last_run(project, "retry_invites")
    assert (sent["trigger"], sent["status"]) == ("cron", "succeeded")
    assert [each.payload["to"] for each in provider.resend.accepted] == [
        ["amelia@families.example"]
    ]
    assert last_run(project, "check_invite_stats")["trigger"] == "cron"


def log_of(project: Project, job: str) -> str:
    log = project.folder / "logs" / f"{job}.log"
    return log.read_text() if log.exists() else ""
