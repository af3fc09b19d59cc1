"""A fresh clone of this checkout and the server in it."""

import os
import pwd
import re
import shutil
import signal
import stat
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
SECONDS_FOR_THE_FIRST_RUN = 400  # an idle machine needs 100; it ends a hang
LOOK = re.compile(r"Admin +(\S+)\n +Login +staff, password (\S+)\n +Mail +(\S+/inbox) .*\n +Stop")


@dataclass
class Clone:
    """A fresh clone, its owner, and the server that runs in it."""

    folder: Path
    log: Path
    user: pwd.struct_passwd
    python: str = ""
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    modes: dict[Path, int] = field(default_factory=dict)

    def lay(self) -> None:
        """Copy what a clone would hold, uncommitted files included, and note the modes above."""
        listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        names = subprocess.run(listed, cwd=ROOT, capture_output=True, check=True).stdout
        for name in map(os.fsdecode, filter(None, names.split(b"\0"))):
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
            if (ROOT / name).exists():
                shutil.copy(ROOT / name, self.folder / name)
        owner = f"{self.user.pw_uid}:{self.user.pw_gid}"
        subprocess.run(["chown", "-R", owner, str(self.folder)], check=True)
        self.modes = self.modes_now()

    def modes_now(self) -> dict[Path, int]:
        folders = (self.folder, *self.folder.parents)
        return {folder: stat.S_IMODE(folder.stat().st_mode) for folder in folders}

    def environment(self) -> dict[str, str]:
        """Return what is left after `env -i`, and what leads pip to the index."""
        kept = {name: text for name, text in os.environ.items() if is_for_the_network(name)}
        python = {"EGAC_PYTHON": self.python} if self.python else {}
        return {**kept, **python, "PATH": SYSTEM_PATH, "HOME": self.user.pw_dir}

    def start(self) -> None:
        """Start the server as a shell starts a job in the background: deaf to Ctrl-C."""
        self.started_at = time.monotonic()
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                ["/bin/sh", "-c", "trap '' INT; exec \"$0\"", self.folder / "scripts" / "server"],
                cwd="/",
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                user=self.user.pw_uid,
                group=self.user.pw_gid,
                extra_groups=[],
            )

    def look(self) -> tuple[str, str, str]:
        """Wait for the block that it prints last; return address, password and inbox."""
        if not self.process:
            self.start()
        assert self.process
        while True:
            if found := LOOK.search(self.log.read_text()):
                return found[1], found[2], found[3]
            is_late = time.monotonic() > self.started_at + SECONDS_FOR_THE_FIRST_RUN
            if is_late or self.process.poll() is not None:
                break
            time.sleep(0.1)
        pytest.fail(f"scripts/server does not come up:\n{self.log.read_text()[-3000:]}")

    def stop(self) -> int:
        """End the server as a supervisor would, and return its exit code."""
        if not self.process:
            return 0
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(30)
        self.process = None
        return code


def is_for_the_network(name: str) -> bool:
    return name.startswith("PIP_") or name.lower().endswith(("_proxy", "ssl_cert_file"))
