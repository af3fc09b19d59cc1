"""Bring the two ways together on which the figures and the pages of people were made."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("egac", "0020_people_and_roles"), ("egac", "0022_figures")]
