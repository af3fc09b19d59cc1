"""Find the failed rows of one cause among a million, and those that wait under a canary."""

from django.db import migrations, models

from egac.causes import Fingerprint, JsonText
from egac.indexing import MARK
from egac.migrations._rule_of_causes import cause

CAUSE = cause("error_message", "(payload #>> '{channel}')")
INDEXES = {
    "queue_failed_by_cause": f"({CAUSE}, failed_at DESC NULLS LAST) WHERE status = 'failed'",
    "queue_under_a_canary": "(canary) WHERE canary IS NOT NULL",
}
# An earlier try that was broken off leaves an index that nobody uses: it is built anew.
FORWARDS = tuple(
    statement
    for name, definition in INDEXES.items()
    for statement in (
        f"DROP INDEX CONCURRENTLY IF EXISTS {name}",
        f"CREATE INDEX CONCURRENTLY {name} ON notifications_queue {definition}",
        f"COMMENT ON INDEX {name} IS '{MARK}'",
    )
)
BACKWARDS = tuple(f"DROP INDEX CONCURRENTLY IF EXISTS {name}" for name in INDEXES)


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("notifications", "0006_wait_under_a_canary")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(FORWARDS, BACKWARDS)],
            state_operations=[
                migrations.AddIndex(
                    model_name="notification",
                    index=models.Index(
                        Fingerprint("last_error", JsonText("payload", path="channel")),
                        models.F("failed_at").desc(nulls_last=True),
                        name="queue_failed_by_cause",
                        condition=models.Q(("status", "failed")),
                    ),
                ),
                migrations.AddIndex(
                    model_name="notification",
                    index=models.Index(
                        fields=["canary"],
                        name="queue_under_a_canary",
                        condition=models.Q(("canary__isnull", False)),
                    ),
                ),
            ],
        )
    ]
