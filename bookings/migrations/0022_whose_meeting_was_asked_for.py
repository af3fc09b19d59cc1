"""Keep of which Zoom user a meeting was asked: a class may get another instructor meanwhile."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("bookings", "0021_find_in_long_lists")]
    operations = [
        migrations.AddField(
            model_name="classsession",
            name="meeting_asked_host",
            field=models.TextField(blank=True, db_default=""),
        ),
    ]
