"""Bring enquiries of a CSV file in: the good lines together or not at all, each once."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from django.db import connection, transaction
from django.db.models.functions import Lower, Trim

from egac.csv_files import Record, RefusedLine
from egac.days import start_of
from invites.enquiry_csv import (
    AlreadyThere,
    CleanEnquiry,
    Key,
    Verdict,
    clean_records,
    find_known,
    key_of,
    read_enquiries,
)
from invites.models import Enquiry, Invite

BATCH = 1000
IMPORT_LOCK = 0x454E5155  # "ENQU": every import of enquiries takes it, nothing else does


def import_enquiries(content: bytes, *, today: date, invite: bool = False) -> dict[str, Any]:
    """Save the new enquiries of a CSV file and return the report of every line.

    With `invite` each new one gets a pending invite. Raises UnusableFile.
    """
    records = read_enquiries(content)
    with transaction.atomic():
        wait_for_other_imports()
        verdicts = judge_records(records, today=today)
        people = Enquiry.objects.bulk_create(
            (Enquiry(**fields_of(each)) for each in verdicts if isinstance(each, CleanEnquiry)),
            batch_size=BATCH,
        )
        invited = people if invite else []
        Invite.objects.bulk_create((Invite(enquiry=each) for each in invited), batch_size=BATCH)
    return report_of(verdicts, invite=invite)


def preview_import(content: bytes, *, today: date, invite: bool = False) -> dict[str, Any]:
    """Return the report that an import would give now, and save nothing. Raises UnusableFile."""
    return report_of(judge_records(read_enquiries(content), today=today), invite=invite)


def wait_for_other_imports() -> None:
    """Let imports go one after the other, so that each sees what those before it saved."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [IMPORT_LOCK])


def judge_records(records: Iterable[Record], *, today: date) -> list[Verdict]:
    """Return for each record whether it is new, already there or refused."""
    cleaned = list(clean_records(records, today=today))
    addresses = {each.email for each in cleaned if isinstance(each, CleanEnquiry)}
    return find_known(cleaned, known_keys(addresses))


def known_keys(addresses: set[str]) -> set[Key]:
    """Return the keys of the saved enquiries that have one of the addresses."""
    rows = Enquiry.objects.order_by().annotate(address=Lower(Trim("email")))
    found = rows.filter(address__in=addresses).values_list("name", "email")
    return {key_of(name, email) for name, email in found}


def fields_of(clean: CleanEnquiry) -> dict[str, Any]:
    """Return the values of an Enquiry; one without a day of its own is as old as its row."""
    fields = {
        "name": clean.name,
        "email": clean.email,
        "phone": clean.phone,
        "interest": clean.interest,
        "dob": clean.dob,
        "source": clean.source,
        "note": clean.note,
        "raw_payload": clean.raw,
    }
    if clean.enquired_on is None:
        return fields
    return {**fields, "created_at": start_of(clean.enquired_on)}


def report_of(verdicts: Sequence[Verdict], *, invite: bool) -> dict[str, Any]:
    """Return the counts, the lines that were there already, and each refused line's reason."""
    known = [each.line for each in verdicts if isinstance(each, AlreadyThere)]
    refused = [each for each in verdicts if isinstance(each, RefusedLine)]
    new = len(verdicts) - len(known) - len(refused)
    return {
        "new": new,
        "already_there": len(known),
        "refused": len(refused),
        "invited": new if invite else 0,
        "already_there_lines": known,
        "refused_lines": [{"line": each.line, "reason": each.reason} for each in refused],
    }
