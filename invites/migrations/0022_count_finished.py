"""Keep how many invites have ended, whoever writes them."""

from django.db import migrations

from egac.counting import CountFinishedRows


class Migration(migrations.Migration):
    dependencies = [("invites", "0021_find_in_long_lists"), ("egac", "0022_figures")]
    operations = [
        CountFinishedRows(
            "invites", channel="'email'", finished=("sent", "accepted", "failed", "cancelled")
        )
    ]
