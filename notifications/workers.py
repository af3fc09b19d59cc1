"""Who carries the messages out, and the page of their samples."""

from django.db import models
from django.db.models.functions import Now


class Worker(models.Model):
    """A heartbeat: which workers live, since when, and how much they have sent."""

    class Kind(models.TextChoices):
        LOOP = "loop", "loop"
        PASS = "pass", "one pass"

    name = models.TextField(primary_key=True)  # host and process
    kind = models.TextField(choices=Kind)
    started_at = models.DateTimeField(db_default=Now())
    seen_at = models.DateTimeField(db_default=Now())
    stopped_at = models.DateTimeField(null=True)
    recorded = models.IntegerField(default=0)  # messages, sent or not

    class Meta:
        db_table = "workers"

    def __str__(self) -> str:
        return self.name


class Sample(models.Model):
    """A type of message with sample data: no table, a page of the admin and who may open it."""

    type = models.TextField(primary_key=True)

    class Meta:
        managed = False
        default_permissions = ("view",)
        verbose_name = "message with sample data"
        verbose_name_plural = "messages with sample data"

    def __str__(self) -> str:
        return self.type
