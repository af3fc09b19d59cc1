"""Find the failed rows of one cause among a million, and those that wait under a canary."""

from django.db import migrations, models

from egac.causes import Fingerprint, JsonText
from egac.indexing import MARK
from egac.migrations._rule_of_causes import cause

CAUSE = cause("(last_send_error #>> '{}')")
INDEXES = {
    "invites_failed_by_cause": f"({CAUSE}, failed_at DESC NULLS LAST) WHERE status = 'failed'",
    "invites_under_a_canary": "(canary) WHERE canary IS NOT NULL",
}
# An earlier try that was broken off leaves an index that nobody uses: it is built anew.
FORWARDS = tuple(
    statement
    for name, definition in INDEXES.items()
    for statement in (
        f"DROP INDEX CONCURRENTLY IF EXISTS {name}",
        f"CREATE INDEX CONCURRENTLY {name} ON invites {definition}",
        f"COMMENT ON INDEX {name} IS '{MARK}'",
    )
)
BACKWARDS = tuple(f"DROP INDEX CONCURRENTLY IF EXISTS {name}" for name in INDEXES)


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("invites", "0023_wait_under_a_canary")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(FORWARDS, BACKWARDS)],
            state_operations=[
                migrations.AddIndex(
                    model_name="invite",
                    index=models.Index(
                        Fingerprint(JsonText("last_error", path="")),
                        models.F("failed_at").desc(nulls_last=True),
                        name="invites_failed_by_cause",
                        condition=models.Q(("status", "failed")),
                    ),
                ),
                migrations.AddIndex(
                    model_name="invite",
                    index=models.Index(
                        fields=["canary"],
                        name="invites_under_a_canary",
                        condition=models.Q(("canary__isnull", False)),
                    ),
                ),
            ],
        )
    ]
