"""Keep how many queued messages have ended, by channel, whoever writes them."""

from django.db import migrations

from egac.counting import CountFinishedRows

CHANNEL = """CASE WHEN payload @> '{"channel": "whatsapp"}' THEN 'whatsapp' ELSE 'email' END"""


class Migration(migrations.Migration):
    dependencies = [("notifications", "0004_find_in_long_lists"), ("egac", "0022_figures")]
    operations = [
        CountFinishedRows(
            "notifications_queue", channel=CHANNEL, finished=("completed", "failed", "cancelled")
        )
    ]
