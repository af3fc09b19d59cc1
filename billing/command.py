"""What the commands of the two billing jobs share: what they print."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, ClassVar

from billing.batches import Row, Watch
from billing.tally import in_a_line
from egac.money import in_words
from jobs.command import DatedJobCommand


class BillingCommand(DatedJobCommand):
    """Exit 1: something could not be billed. A dry run prints every row that a run would write."""

    generate: ClassVar[Callable[..., dict[str, Any]]]
    errors: ClassVar[str]  # the name of their count in the result

    def work(self, options: dict[str, Any]) -> dict[str, Any]:
        watch = Watch(stop=self.stop)
        if options["dry_run"] and not options["json"]:
            watch = Watch(stop=self.stop, on_rows=self.print_rows)
        elif self.stderr.isatty():
            watch = Watch(stop=self.stop, on_progress=self.show_progress)
        on, dry_run = self.business_on(options), bool(options["dry_run"])
        return type(self).generate(on, dry_run=dry_run, watch=watch)

    def print_rows(self, rows: Sequence[Row]) -> None:
        for row in rows:
            self.stdout.write(in_a_line(row))

    def show_progress(self, done: int, total: int) -> None:
        self.stderr.write(f"\r{done} of {total} bookings", ending="\n" if done == total else "")

    def failed(self, result: dict[str, Any]) -> bool:
        return bool(result[self.errors])

    def sentence(self, result: dict[str, Any]) -> str:
        """Return the counts; after a real run also a line for each booking that was not billed."""
        counts = f"{self.counts(result)}, {result[self.errors]} could not be billed."
        if result["dry_run"]:
            return f"Dry run, nothing was written. It would be: {counts} {result['note']}".strip()
        errors = [in_a_line(row) for row in result["errors"]]
        return "\n".join([f"{counts} {result['note']}".strip(), *errors])

    def counts(self, result: dict[str, Any]) -> str:
        """Return what was billed, and what was not although nothing is wrong."""
        raise NotImplementedError


def asked_for(result: dict[str, Any]) -> str:
    """Return what the issued invoices ask for, in brackets; "" where there is none."""
    amounts = [in_words(Decimal(sum_), name) for name, sum_ in result["amounts"].items()]
    return f" ({', '.join(amounts)})" if amounts else ""
