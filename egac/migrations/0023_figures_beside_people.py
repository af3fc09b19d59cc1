"""Bring together the figures and what the console needs, which were made beside each other."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("egac", "0021_find_in_long_lists"), ("egac", "0022_figures")]
