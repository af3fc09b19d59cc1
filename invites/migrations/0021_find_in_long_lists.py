"""List, filter and search many enquiries and invites by indexes; the website's are in them too."""

from django.db import migrations, models
from django.db.models import Q

from egac.indexing import BuildIndexes


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("invites", "0020_find_people")]
    operations = [
        BuildIndexes(
            "Enquiry", models.Index(fields=["-created_at", "id"], name="enquiries_by_time")
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
