"""Pages of the admin that show no table of ours, and who may open them."""

from typing import Any

from django.contrib.admin.models import LogEntry
from django.db import models


class Person(models.Model):
    """Somebody known by an address or a number; who is meant is put together from every app."""

    id = models.TextField(primary_key=True)  # of one row that names them: `customer-7`
    name = models.TextField()

    identity: Any  # who it is, as the page that asked put it together

    class Meta:
        managed = False
        default_permissions = ("view",)
        verbose_name_plural = "people"

    def __str__(self) -> str:
        return self.name


class Role(models.Model):
    """A group of staff, and in words what it may do."""

    name = models.TextField(primary_key=True)

    class Meta:
        managed = False
        default_permissions = ("view",)

    def __str__(self) -> str:
        return self.name


class Failure(models.Model):
    """A cause for which messages failed; it is derived from their errors (causes.py)."""

    cause = models.TextField(primary_key=True)

    class Meta:
        managed = False
        default_permissions = ("view",)

    def __str__(self) -> str:
        return self.cause


class LoggedAction(LogEntry):
    """What somebody of the staff did, as the admin's own log keeps it."""

    class Meta:
        proxy = True
        default_permissions = ()  # every group may view the rest: this list is for Managers
        verbose_name = "staff action"
