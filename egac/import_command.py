"""The base of every command that brings a CSV file in."""

import json
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from egac.csv_files import LARGEST_FILE, UnusableFile

LINES_NAMED = 10


class ImportCommand(BaseCommand):
    """Exit 0: every line is in. Exit 1: some were refused. Exit 2: the file cannot be used."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE.csv", help="the file, or - for standard input")
        parser.add_argument("--dry-run", action="store_true", help="report and save nothing")
        parser.add_argument("--json", action="store_true", help="print the report as one object")

    def report(self, content: bytes, options: dict[str, Any]) -> dict[str, Any]:
        """Bring the file in, or with `dry_run` only look at it, and return the report of it.

        It has `already_there`, `already_there_lines`, `refused` and `refused_lines`.
        """
        raise NotImplementedError

    def counts(self, report: dict[str, Any]) -> str:
        """Return how many are new, as words without a full stop."""
        raise NotImplementedError

    def more(self, report: dict[str, Any]) -> str:
        """Return a sentence that follows the counts, or ""."""
        return ""

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            report = self.report(read_file(options["file"]), options)
        except UnusableFile as error:
            raise CommandError(str(error), returncode=2) from error
        report = {**report, "dry_run": options["dry_run"]}
        self.stdout.write(json.dumps(report) if options["json"] else self.in_words(report))
        if report["refused"]:
            raise SystemExit(1)

    def in_words(self, report: dict[str, Any]) -> str:
        """Return the counts, then each refused line and what to do about it."""
        there = named(report["already_there_lines"])
        told = f"{self.counts(report)}, {report['already_there']} already there{there}, "
        told += f"{report['refused']} refused."
        told = f"{told} {self.more(report)}".rstrip()
        if report["dry_run"]:
            told = f"Dry run, nothing was saved. It would be: {told}"
        lines = [f"line {each['line']}: {each['reason']}" for each in report["refused_lines"]]
        if lines:
            lines.append("Correct these lines and import the file again: no other is added twice.")
        return "\n".join([told, *lines])


def read_file(path: str) -> bytes:
    """Return the file, or so much of it that it is too large; raise UnusableFile."""
    if path == "-":
        return sys.stdin.buffer.read(LARGEST_FILE + 1)
    try:
        with open(path, "rb") as file:
            return file.read(LARGEST_FILE + 1)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise UnusableFile(f"Cannot read {path}: {why}. Name a CSV file that is there.") from error


def named(lines: Sequence[int]) -> str:
    """Return ` (line 56)` or ` (lines 56, 60)`; of many the first few."""
    if not lines:
        return ""
    shown = ", ".join(str(line) for line in lines[:LINES_NAMED])
    rest = f" and {len(lines) - LINES_NAMED} more" if len(lines) > LINES_NAMED else ""
    return f" ({'line' if len(lines) == 1 else 'lines'} {shown}{rest})"
