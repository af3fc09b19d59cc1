"""When each secret of a caller was last used, so that a rotation can be seen to its end."""

from datetime import timedelta

from django.db import models
from django.db.models.functions import Now

EVERY = timedelta(minutes=1)  # a secret that is used all the time is not written all the time


class SecretUse(models.Model):
    """The last use of one secret, by its name; the secret itself stands in no table."""

    name = models.TextField(primary_key=True)
    last_used_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "secret_uses"
        verbose_name = "secret of a caller"
        verbose_name_plural = "secrets of callers"

    def __str__(self) -> str:
        return self.name


def note_use(name: str) -> None:
    """Write down that a secret was used now, at most once a minute."""
    stale = SecretUse.objects.filter(name=name, last_used_at__lt=Now() - EVERY)
    stale.update(last_used_at=Now())
    SecretUse.objects.bulk_create([SecretUse(name=name)], ignore_conflicts=True)
