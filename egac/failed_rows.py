"""Questions about outgoing rows that failed, and the way of one of them ahead of what waits."""

from typing import Self

from egac.fenced_rows import FencedRows


class FailedRows(FencedRows):
    """What a retry by cause asks of outgoing rows."""

    def retriable(self) -> Self:
        """Failed rows that a retry may take, and that wait under none."""
        return self.filter(status=self.model.Status.FAILED, canary=None)

    def with_cause(self, name: str) -> Self:
        """Failed rows of one cause (causes.py)."""
        failed = self.filter(status=self.model.Status.FAILED)
        return failed.alias(cause_of_it=self.model.CAUSE).filter(cause_of_it=name)

    def hurry(self) -> int:
        """Let rows go ahead of what waits, where their table has an order of its own."""
        return 0
