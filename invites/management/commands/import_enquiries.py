"""Bring enquiries of a CSV file in, and report every line that was refused."""

import json
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from invites.enquiry_csv import LARGEST_FILE, UnusableFile
from invites.imports import import_enquiries, preview_import

LINES_NAMED = 10


class Command(BaseCommand):
    """Exit 0: every line is in. Exit 1: some were refused. Exit 2: the file cannot be used."""

    help = "Import enquiries from a CSV file. A line that is there already is not added twice."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE.csv", help="the file, or - for standard input")
        parser.add_argument("--invite", action="store_true", help="invite each new enquirer")
        parser.add_argument("--dry-run", action="store_true", help="report and save nothing")
        parser.add_argument("--json", action="store_true", help="print the report as one object")

    def handle(self, *args: Any, **options: Any) -> None:
        run = preview_import if options["dry_run"] else import_enquiries
        try:
            content = read_file(options["file"])
            report = run(content, today=timezone.localdate(), invite=options["invite"])
        except UnusableFile as error:
            raise CommandError(str(error), returncode=2) from error
        report = {**report, "dry_run": options["dry_run"]}
        self.stdout.write(json.dumps(report) if options["json"] else in_words(report))
        if report["refused"]:
            raise SystemExit(1)


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


def in_words(report: dict[str, Any]) -> str:
    """Return the counts, then each refused line and what to do about it."""
    there = named(report["already_there_lines"])
    counts = f"{report['new']} new, {report['already_there']} already there{there}, "
    counts += f"{report['refused']} refused."
    if report["invited"]:
        counts += f" Each of the {report['invited']} new ones has a pending invite."
    if report["dry_run"]:
        counts = f"Dry run, nothing was saved. It would be: {counts}"
    lines = [f"line {each['line']}: {each['reason']}" for each in report["refused_lines"]]
    if lines:
        lines.append("Correct these lines and import the file again: no other is added twice.")
    return "\n".join([counts, *lines])


def named(lines: Sequence[int]) -> str:
    """Return ` (line 56)` or ` (lines 56, 60)`; of many the first few."""
    if not lines:
        return ""
    shown = ", ".join(str(line) for line in lines[:LINES_NAMED])
    rest = f" and {len(lines) - LINES_NAMED} more" if len(lines) > LINES_NAMED else ""
    return f" ({'line' if len(lines) == 1 else 'lines'} {shown}{rest})"
