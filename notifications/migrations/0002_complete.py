"""What takes long on a live table: rows filled, rules validated, indexes built concurrently."""

from django.db import migrations

from notifications.migrations._older_tables import QUEUE
from notifications.migrations._operations import CompleteQueue


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("notifications", "0001_initial")]
    operations = [CompleteQueue(QUEUE)]
