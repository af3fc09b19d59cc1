"""What the tests of the jobs about unpaid invoices share: invoices by age, runs, commands."""

from datetime import date, timedelta
from io import StringIO
from typing import Any

from django.core.management import call_command
from django.utils import timezone

from billing.models import Invoice
from billing.services import run_escalation_orchestration
from tests.billing.factories import InvoiceFactory

TODAY = date(2026, 12, 20)


def due_in(days: int, **fields: Any) -> Invoice:
    """Return an unpaid invoice that is due in so many days, or was before."""
    return InvoiceFactory.create(due_on=TODAY + timedelta(days=days), **fields)


def orchestrate(on: date = TODAY, **more: Any) -> dict[str, Any]:
    return run_escalation_orchestration(on, now=timezone.now(), **more)


def command(name: str, *arguments: str) -> tuple[int, str]:
    """Run a command; return its exit status and what it printed."""
    told = StringIO()
    try:
        call_command(name, *arguments, stdout=told, stderr=told)
    except SystemExit as ended:
        return int(ended.code or 0), told.getvalue()
    return 0, told.getvalue()
