"""Search many customers and classes by the beginnings of words."""

from django.contrib.postgres.indexes import GinIndex
from django.db import migrations

from egac.indexing import BuildIndexes
from egac.search import Words


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("bookings", "0004_the_day_of_the_last_move")]
    operations = [
        BuildIndexes(
            "Customer",
            GinIndex(Words("name", "email", "phone", "reference"), name="customers_by_words"),
        ),
        BuildIndexes("ClassSession", GinIndex(Words("title"), name="class_sessions_by_words")),
    ]
