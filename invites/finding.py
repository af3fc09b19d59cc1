"""By what the lists of enquiries and invites are found: their indexes."""

from django.db import models
from django.db.models import Q

OF_ENQUIRIES = (models.Index(fields=["-created_at", "id"], name="enquiries_by_time"),)
OF_INVITES = (
    models.Index(fields=["-created_at", "id"], name="invites_by_time"),
    models.Index(
        fields=["reason", "-created_at"],
        name="invites_by_reason",
        condition=Q(reason__isnull=False),
    ),
    models.Index(
        fields=["-created_at"], name="invites_with_error", condition=Q(last_error__isnull=False)
    ),
    models.Index(
        fields=["token"], name="invites_by_start_of_token", opclasses=["text_pattern_ops"]
    ),
)
