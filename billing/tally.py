"""What a billing run tells: a row for everything it did or would do, and the counts of them."""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import lru_cache

from billing.amounts import NOTHING
from billing.batches import Row
from billing.drafts import Bill
from billing.issuing import Numbered
from billing.listing import Listing
from billing.runs import WAIVED, Billed
from egac.days import span_in_words
from egac.money import in_words

AMOUNTS = ("total", "net", "tax")


def rows_of(billed: Billed) -> list[Row]:
    """Return what was done about a booking, a row for each invoice, waiver and reason."""
    verdict = billed.verdict
    who = {
        "booking_id": verdict.booking.pk,
        "customer": verdict.booking.customer.name,
        "booking": verdict.booking.title,
    }
    rows: list[Row] = [
        {**who, "ok": True, "outcome": "invoiced", **invoice_row(each)} for each in billed.issued
    ]
    rows += [
        {
            **who,
            "ok": True,
            "outcome": "waived",
            "period_starts_on": period.starts_on.isoformat(),
            "period_ends_on": period.ends_on.isoformat(),
            "why": WAIVED,
        }
        for period in verdict.waived
    ]
    rows += [{**who, "ok": True, "outcome": "skipped", "why": why} for why in verdict.skipped]
    if verdict.problem:
        rows.append({**who, "ok": False, "outcome": "not billed", "error": verdict.problem})
    return rows


def invoice_row(issued: Numbered) -> Row:
    """Return an invoice field by field as it is stored, its lines and who is told of it."""
    columns = issued.invoice.columns
    return {
        "invoice_number": columns["number"],
        "billed_to": columns["billed_to"],
        **bill_row(issued.invoice.bill),
        "messages": [
            {"type": each.type, "channel": each.payload["channel"], "to": each.payload["to"]}
            for each in issued.messages
        ],
    }


@lru_cache(maxsize=1024)  # thousands share a bill
def bill_row(bill: Bill) -> Row:
    columns = bill.columns
    return {
        "status": str(columns["status"]),
        "billed_for": bill.billed_for,
        "issued_on": iso(bill.issued_on),
        "due_on": iso(bill.due_on),
        "period_starts_on": iso(columns["period_starts_on"]),
        "period_ends_on": iso(columns["period_ends_on"]),
        "currency": bill.currency,
        "net": str(bill.totals.net),
        "tax": str(bill.totals.tax),
        "total": str(bill.totals.total),
        "lines": [
            {
                "description": line.description,
                "quantity": line.quantity,
                "unit_price": str(line.unit_price),
                "tax_percent": str(line.tax_percent),
                "net": str(line.net),
                "tax": str(line.tax),
                "enrolment_id": line.enrolment_id,
            }
            for line in bill.lines
        ],
    }


def iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


@dataclass
class Tally(Listing):
    """The counts of a run, and its first rows."""

    looked_at: int = 0  # bookings
    idle: int = 0  # bookings with nothing to bill and nothing wrong
    amounts: dict[str, Decimal] = field(default_factory=dict)  # by currency
    left: int = 0  # bookings that a run which was stopped has not looked at

    def add(self, billed: Billed) -> list[Row]:
        """Count what was done about a booking; return its rows."""
        rows = rows_of(billed)
        self.looked_at += 1
        self.idle += not (billed.issued or billed.verdict.problem)
        for issued in billed.issued:
            bill = issued.invoice.bill
            asked = self.amounts.get(bill.currency, NOTHING)
            self.amounts[bill.currency] = asked + bill.totals.total
        self.list_rows(rows)
        return rows


def in_a_line(row: Row) -> str:
    """Return a row of a result as a person reads it; each line of an invoice stands below it."""
    who = f"{row['customer']}, {row['booking']}"
    if row["outcome"] == "waived":
        days = (date.fromisoformat(row[f"period_{word}_on"]) for word in ("starts", "ends"))
        return f"Waived: {who}, {span_in_words(*days)}. {row['why']}"
    if row["outcome"] == "skipped":
        return f"Not billed now: {who}. {row['why']}"
    if row["outcome"] == "not billed":
        return f"Could not be billed: {who}. {row['error']}"
    return "\n".join([f"{row['invoice_number']}: {who}. {_asks(row)}", *map(_line, row["lines"])])


def _asks(row: Row) -> str:
    total, net, tax = (in_words(Decimal(row[name]), row["currency"]) for name in AMOUNTS)
    told = " and ".join(f"{each['channel']} to {each['to']}" for each in row["messages"])
    return (
        f"{total} (net {net}, tax {tax}) for {row['billed_for']}; issued {row['issued_on']}, due "
        f"{row['due_on']}; {told or 'nobody is told'}"
    )


def _line(line: Row) -> str:
    return (
        f"    {line['quantity']} × {line['unit_price']} = {line['net']}, tax {line['tax']} "
        f"({line['tax_percent']} %): {line['description']}"
    )
