"""What the commands of the four jobs over bookings and invoices share: what they print."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, ClassVar

from billing import escalation_rows, tally
from billing.batches import Row, Watch
from egac.money import in_words
from jobs.command import DatedJobCommand


class BatchCommand(DatedJobCommand):
    """Exit 1: a row could not be done. A dry run prints every row that a run would write."""

    errors: ClassVar[str]  # the name of their count in the result
    what: ClassVar[str]  # what the rows are

    def in_a_line(self, row: Row) -> str:
        """Return a row of the result for a person."""
        raise NotImplementedError

    def watch(self, options: dict[str, Any]) -> Watch:
        """Return who watches the run: the reader of a dry run, or a person at a terminal."""
        if options["dry_run"] and not options["json"]:
            return Watch(stop=self.stop, on_rows=self.print_rows)
        if self.stderr.isatty():
            return Watch(stop=self.stop, on_progress=self.show_progress)
        return Watch(stop=self.stop)

    def print_rows(self, rows: Sequence[Row]) -> None:
        for row in rows:
            self.stdout.write(self.in_a_line(row))

    def show_progress(self, done: int, total: int) -> None:
        ending = "\n" if done == total else ""
        self.stderr.write(f"\r{done} of {total} {self.what}", ending=ending)

    def failed(self, result: dict[str, Any]) -> bool:
        return bool(result[self.errors])

    def sentence(self, result: dict[str, Any]) -> str:
        """Return the counts; after a real run also a line for each row that could not be done."""
        counts = f"{self.counts(result)} {result['note']}".strip()
        if result["dry_run"]:
            return f"Dry run, nothing was written. It would be: {counts}"
        return "\n".join([counts, *map(self.in_a_line, result["errors"])])

    def counts(self, result: dict[str, Any]) -> str:
        """Return what was done, and what was not, as a sentence."""
        raise NotImplementedError


class BillingCommand(BatchCommand):
    """One of the two jobs that issue invoices."""

    what = "bookings"
    generate: ClassVar[Callable[..., dict[str, Any]]]

    def in_a_line(self, row: Row) -> str:
        return tally.in_a_line(row)

    def work(self, options: dict[str, Any]) -> dict[str, Any]:
        on, dry_run = self.business_on(options), bool(options["dry_run"])
        return type(self).generate(on, dry_run=dry_run, watch=self.watch(options))

    def counts(self, result: dict[str, Any]) -> str:
        return f"{self.billed(result)}, {result[self.errors]} could not be billed."

    def billed(self, result: dict[str, Any]) -> str:
        """Return what was billed, and what was not although nothing is wrong."""
        raise NotImplementedError


class EscalationCommand(BatchCommand):
    """One of the two jobs that look after unpaid invoices."""

    errors = "error_count"
    what = "rows"

    def in_a_line(self, row: Row) -> str:
        return escalation_rows.in_a_line(row)

    def moves_in_words(self, counts: dict[str, int]) -> str:
        """Return how many bookings moved where."""
        return (
            f"{counts['escalated_to_grace']} moved to grace, "
            f"{counts['escalated_to_locked']} locked, {counts['restored_to_active']} open again, "
            f"{counts['no_change']} as they were"
        )


def counted(count: int, word: str) -> str:
    """Return a count with its word: `1 invoice`, `2 invoices`."""
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def asked_for(result: dict[str, Any]) -> str:
    """Return what the issued invoices ask for, in brackets; "" where there is none."""
    amounts = [in_words(Decimal(sum_), name) for name, sum_ in result["amounts"].items()]
    return f" ({', '.join(amounts)})" if amounts else ""
