"""Find a person among the customers by a word of the name."""

import django.contrib.postgres.indexes
import django.contrib.postgres.search
from django.db import migrations

from egac.adoption import MARK

WORDS_OF_NAME = "USING gin (to_tsvector('simple'::regconfig, COALESCE(name, '')))"
# An earlier try that was broken off leaves an index that nobody uses: it is built anew.
BUILT = {
    "customers_by_words_of_name": WORDS_OF_NAME,
}


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("bookings", "0004_the_day_of_the_last_move")]
    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    (
                        f"DROP INDEX CONCURRENTLY IF EXISTS {name}",
                        f"CREATE INDEX CONCURRENTLY {name} ON customers {what}",
                        f"COMMENT ON INDEX {name} IS '{MARK}'",
                    ),
                    f"DROP INDEX CONCURRENTLY IF EXISTS {name}",
                )
                for name, what in BUILT.items()
            ],
            state_operations=[
                migrations.AddIndex(
                    model_name="customer",
                    index=django.contrib.postgres.indexes.GinIndex(
                        django.contrib.postgres.search.SearchVector("name", config="simple"),
                        name="customers_by_words_of_name",
                    ),
                ),
            ],
        )
    ]
