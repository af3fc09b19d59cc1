"""All that the database holds, to show that a call or a page changed nothing."""

from typing import Any

from django.db import connection

TABLES_OF_LOGINS = {"django_session", "auth_user"}


def everything_stored() -> dict[str, list[Any]]:
    """Return the rows of every table, those that a login writes left out."""
    names = set(connection.introspection.table_names()) - TABLES_OF_LOGINS
    stored = {}
    with connection.cursor() as cursor:
        for name in sorted(names):
            cursor.execute(f'SELECT to_jsonb(t)::text FROM "{name}" AS t ORDER BY 1')
            stored[name] = cursor.fetchall()
    return stored
