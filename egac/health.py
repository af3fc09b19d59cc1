"""Whether this process lives (/healthz), and whether it may be given work (/readyz)."""

from collections.abc import Callable

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

WhyNot = Callable[[], str]

REQUIRED: dict[str, WhyNot] = {}


def register_requirement(name: str, why_not: WhyNot) -> None:
    """Let an app say in a sentence why this site is not ready, or ""."""
    REQUIRED[name] = why_not


@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """Answer: that is all it takes. It asks nothing else, so nobody restarts us for an outage."""
    return JsonResponse({"ok": True})


@never_cache
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """Answer 200, or 503 with the reasons."""
    try:
        reasons = why_not_ready()
    except DatabaseError:
        # Its message may name a host and a user, and whoever asks here proves nothing.
        reasons = ["The database cannot be reached. See whether it runs, and DATABASE_URL."]
    return JsonResponse({"ok": not reasons, "reasons": reasons}, status=503 if reasons else 200)


def why_not_ready() -> list[str]:
    """Return each reason as a sentence; raise DatabaseError where the database is away."""
    if missing := _unapplied():
        return [f"The database lacks {missing} migrations. Run manage.py migrate."]
    return [why for why_not in REQUIRED.values() if (why := why_not())]


def _unapplied() -> int:
    executor = MigrationExecutor(connection)
    return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
