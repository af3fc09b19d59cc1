"""What takes long on a live table: rows filled, rules validated, indexes built concurrently."""

from django.db import migrations

from egac.adoption import CompleteTables
from invites.migrations._older_tables import ENQUIRIES, INVITES


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("invites", "0001_initial")]
    operations = [CompleteTables(ENQUIRIES, INVITES)]
