"""What the list of queued messages can be narrowed by."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.db.models.lookups import Exact
from django.http import HttpRequest

from notifications import admin_buttons as buttons
from notifications.catalogue import TYPES
from notifications.finding import CHANNEL, IS_WHATSAPP


class ChannelFilter(admin.SimpleListFilter):
    """By which way out."""

    title = "channel"
    parameter_name = "channel"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(buttons.CHANNEL_WORDS.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "whatsapp":
            return queryset.filter(Exact(CHANNEL, "whatsapp"))
        return queryset.exclude(IS_WHATSAPP) if self.value() == "email" else queryset


class TypeFilter(admin.SimpleListFilter):
    """By what a message is about."""

    title = "type"
    parameter_name = "type"
    OTHER = "other"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        known = [(name, about.title) for name, about in TYPES.items()]
        return [*known, (self.OTHER, "another program's own type")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == self.OTHER:
            return queryset.exclude(type__in=TYPES)
        return queryset.filter(type=self.value()) if self.value() else queryset
