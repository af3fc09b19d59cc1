"""List and search many alerts by indexes."""

from django.contrib.postgres.indexes import GinIndex
from django.db import migrations, models
from django.db.models import F

from egac.indexing import BuildIndexes
from egac.search import Words


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("jobs", "0006_find_in_long_lists")]
    operations = [
        BuildIndexes(
            "Alert",
            models.Index(
                F("closed_at").desc(nulls_first=True),
                F("opened_at").desc(),
                F("id").desc(),
                name="alerts_in_order",
            ),
            GinIndex(Words("sentence", "cause"), name="alerts_by_words"),
        )
    ]
