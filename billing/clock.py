"""The database's clock, for what is compared with or stored beside times of its own."""

from datetime import datetime

from django.db import connection


def clock_of_database() -> datetime:
    """Return the time of this very moment, not of the transaction's beginning."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now: datetime = cursor.fetchone()[0]
    return now
