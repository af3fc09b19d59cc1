"""Empty the test database after a test that commits, in a small part of the time Django takes.

Django truncates every table, and then makes all content types, permissions and groups anew: half a
second a test. Here only tables that hold rows are truncated, and those four are left as they are
while nobody has changed them; else Django does it its own way.
"""

from typing import Any

from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test import TransactionTestCase

MADE_BY_MIGRATE = {
    model._meta.db_table for model in (ContentType, Permission, Group, Group.permissions.through)
}
as_django_does = TransactionTestCase._fixture_teardown  # type: ignore[attr-defined]
left: dict[str, Any] = {}  # what tables that migrate fills held, by name


def contents() -> dict[str, Any]:
    """Return of each table that migrate fills a digest of its rows."""
    with connection.cursor() as cursor:
        found = {}
        for table in sorted(MADE_BY_MIGRATE):
            cursor.execute(
                f"SELECT md5(string_agg(each::text, ',' ORDER BY each::text)) FROM {table} AS each"
            )
            found[table] = cursor.fetchone()
    return found


def filled() -> list[str]:
    """Return the tables that hold rows, but for those that migrate fills."""
    tables = connection.introspection.django_table_names(only_existing=True, include_views=False)
    asked = (
        f"SELECT '{table}' WHERE EXISTS (SELECT FROM {connection.ops.quote_name(table)})"
        for table in tables
        if table not in MADE_BY_MIGRATE
    )
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(asked))
        return [table for (table,) in cursor.fetchall()]


def empty(test_case: TransactionTestCase) -> None:
    """Leave the database as Django's own way to empty it does."""
    ContentType.objects.clear_cache()  # a test may have turned to another database
    if not left or contents() != left:
        as_django_does(test_case)
        left.update(contents())
        return
    if tables := ", ".join(map(connection.ops.quote_name, filled())):
        with connection.cursor() as cursor:
            cursor.execute(f"TRUNCATE {tables} CASCADE")
