"""The secrets of callers in the admin: when each was last used, and whether a rotation is done."""

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.http import HttpRequest
from django.utils.safestring import SafeString

from egac.auth import ISSUED, Secret, configured, job_tokens
from egac.console.records import RecordAdmin, badge, moment
from egac.secret_use import SecretUse

ROTATING = ("CRON_SECRET", "SERVICE_ROLE_KEY", "SCHEDULER_SECRET_TOKEN")
QUIET = timedelta(days=2)  # longer than any job waits for its next run


class SecretUseAdmin(RecordAdmin):
    """The last use of each secret."""

    list_display = ("name", "state", "last_used", "advice")
    list_display_links = None
    fields = list_display
    readonly_fields = fields
    ordering = ("-last_used_at",)
    empty_sentence = (
        "Each secret shows here once a machine has used it; the secret itself does not."
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[SecretUse]:
        recently = Q(last_used_at__gt=Now() - QUIET)
        return super().get_queryset(request).annotate(is_recent=recently)

    @admin.display(description="state")
    def state(self, use: Any) -> SafeString:
        word, tone, _advice = state_of(use.name, is_recent=use.is_recent)
        return badge(word, tone)

    @admin.display(description="last used", ordering="last_used_at")
    def last_used(self, use: SecretUse) -> SafeString | str:
        return moment(use.last_used_at)

    @admin.display(description="what to do")
    def advice(self, use: Any) -> str:
        _word, _tone, advice = state_of(use.name, is_recent=use.is_recent)
        return advice


def state_of(name: str, *, is_recent: bool) -> tuple[str, str, str]:
    """Return a secret's state in a word, its tone, and what to do."""
    if name.startswith(ISSUED):
        return "ends by itself", "good", "–"
    secret = {secret.name: secret for secret in _all_that_are_set()}.get(name)
    if secret is None:
        return "opens nothing any more", "off", "–"
    if not secret.is_previous:
        return "in use", "good", "–"
    if is_recent:
        return "old one, still in use", "bad", "Give its caller the new one; do not remove it yet."
    return "old one, not used", "waiting", "Nobody has used it for two days: remove it."


def _all_that_are_set() -> list[Secret]:
    secrets = [secret for name in ROTATING for secret in configured(name)]
    return secrets + [secret for tokens in job_tokens().values() for secret in tokens]
