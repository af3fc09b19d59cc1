"""Search many classes by the beginnings of words."""

from django.contrib.postgres.indexes import GinIndex
from django.db import migrations

from egac.indexing import BuildIndexes
from egac.search import Words


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("bookings", "0020_find_people")]
    operations = [
        BuildIndexes("ClassSession", GinIndex(Words("title"), name="class_sessions_by_words")),
    ]
