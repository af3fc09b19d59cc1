"""Search many invoices and payments by the beginnings of words."""

from django.contrib.postgres.indexes import GinIndex
from django.db import migrations

from egac.indexing import BuildIndexes
from egac.search import Words


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("billing", "0004_missed_days"), ("bookings", "0021_find_in_long_lists")]
    operations = [
        BuildIndexes("Invoice", GinIndex(Words("number"), name="invoices_by_words")),
        BuildIndexes("Payment", GinIndex(Words("reference"), name="payments_by_words")),
    ]
