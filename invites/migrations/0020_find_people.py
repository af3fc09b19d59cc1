"""Find a person among two hundred thousand enquiries by address, number or a word of the name."""

import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.db.models.functions.text
from django.db import migrations, models

from egac.adoption import MARK
from egac.numbers import END_OF_PHONE

WORDS_OF_NAME = "USING gin (to_tsvector('simple'::regconfig, COALESCE(name, '')))"
# An earlier try that was broken off leaves an index that nobody uses: it is built anew.
BUILT = {
    "enquiries_by_email": "(lower(email))",
    "enquiries_by_end_of_phone": "(\"right\"(regexp_replace(phone, '[^0-9]', '', 'g'), 6))",
    "enquiries_by_words_of_name": WORDS_OF_NAME,
}


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("invites", "0002_complete")]
    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    (
                        f"DROP INDEX CONCURRENTLY IF EXISTS {name}",
                        f"CREATE INDEX CONCURRENTLY {name} ON enquiries {what}",
                        f"COMMENT ON INDEX {name} IS '{MARK}'",
                    ),
                    f"DROP INDEX CONCURRENTLY IF EXISTS {name}",
                )
                for name, what in BUILT.items()
            ],
            state_operations=[
                migrations.AddIndex(
                    model_name="enquiry",
                    index=models.Index(
                        django.db.models.functions.text.Lower("email"), name="enquiries_by_email"
                    ),
                ),
                migrations.AddIndex(
                    model_name="enquiry",
                    index=models.Index(END_OF_PHONE, name="enquiries_by_end_of_phone"),
                ),
                migrations.AddIndex(
                    model_name="enquiry",
                    index=django.contrib.postgres.indexes.GinIndex(
                        django.contrib.postgres.search.SearchVector("name", config="simple"),
                        name="enquiries_by_words_of_name",
                    ),
                ),
            ],
        )
    ]
