"""A program that stands in for `crontab`: `-l` and `-`, with its table beside it."""

from pathlib import Path

PROGRAM = """#!/bin/sh
if [ "$1" = -l ]; then
    [ -f "$0.table" ] || {{ echo "no crontab for amelia" >&2; exit 1; }}
    exec cat "$0.table"
fi
{keep} >"$0.new" || exit 1
mv "$0.new" "$0.table"
"""


def make_crontab(folder: Path, *, keep: str = "cat") -> tuple[Path, Path]:
    """Make the program; return it and its table. What it is to keep passes the command `keep`."""
    program = folder / "crontab"
    program.write_text(PROGRAM.format(keep=keep))
    program.chmod(0o755)
    return program, folder / "crontab.table"
