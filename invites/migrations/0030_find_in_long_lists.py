"""List, filter and search many enquiries and invites by indexes; the website's are in them too."""

from django.contrib.postgres.indexes import GinIndex
from django.db import migrations, models
from django.db.models import Q

from egac.indexing import BuildIndexes
from egac.search import Words


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("invites", "0002_complete")]
    operations = [
        BuildIndexes(
            "Enquiry",
            GinIndex(Words("name", "email", "phone"), name="enquiries_by_words"),
            models.Index(fields=["-created_at", "id"], name="enquiries_by_time"),
        ),
        BuildIndexes(
            "Invite",
            models.Index(fields=["-created_at", "id"], name="invites_by_time"),
            models.Index(
                fields=["reason", "-created_at"],
                name="invites_by_reason",
                condition=Q(reason__isnull=False),
            ),
            models.Index(
                fields=["-created_at"],
                name="invites_with_error",
                condition=Q(last_error__isnull=False),
            ),
            models.Index(
                fields=["token"],
                name="invites_by_start_of_token",
                opclasses=["text_pattern_ops"],
            ),
        ),
    ]
