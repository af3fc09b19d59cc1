"""The page that asks before all with one cause are retried, and what its button then does."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from egac.canary import (
    MOST_RETRIED,
    RELEASED_AFTER,
    CanaryRetry,
    First,
    Refused,
    retry_cause,
    settle_canaries,
)
from egac.causes import FAILED_AT, NEWEST_FIRST, Cause, cause_named
from egac.console.actions import FROM, NOTHING_DONE, Shown, StaffAction
from egac.console.confirming import (
    MOST_SHOWN,
    start_in,
    with_reason,
    wrong_number,
    wrong_reason,
)
from egac.console.instant import now_of
from egac.console.outgoing import OutgoingAdmin
from egac.console.would_send import would_send
from egac.explain import means
from egac.staff import CHANGED_MEANWHILE, Changed, instant_of

LABEL = "Retry all with this cause"
GONE = "No failed row has this cause any longer: nothing is left to retry."
REASON_HELP = "It stands in the history, for example “the domain is verified again”."
SECONDS = int(RELEASED_AFTER.total_seconds())
ONE = "It is sent at once, with all its attempts."
MANY = (
    f"The first of these goes now, as a test. The others wait for it, at least {SECONDS} seconds: "
    "if it arrives, they are sent with all their attempts; if not, they stay failed as they are. "
    "Until then they can be taken back."
)
NEWEST = f"More than {MOST_RETRIED:,} have this cause: this takes the newest {MOST_RETRIED:,}."


def retry_of(page: OutgoingAdmin) -> StaffAction:
    """Return the button of a table that retries what was chosen."""
    return next(action for action in page.staff_actions if action.name == "retry")


def permission_of(page: OutgoingAdmin) -> str:
    return retry_of(page).permission


@dataclass(frozen=True)
class RetryPage:
    """One cause of one table, about to be retried."""

    site: AdminSite
    page: OutgoingAdmin
    name: str

    def answer(self, request: HttpRequest) -> HttpResponse:
        """Show the page that asks, or do what was confirmed there."""
        if "seen" not in request.POST:
            return self._begin(request)
        asked = self._asked(request.POST["seen"])
        if asked is None:
            return self._back(request, messages.WARNING, NOTHING_DONE)
        if FROM in request.POST:
            return self._ask(request, asked, {})
        if errors := self._errors(request, asked):
            return self._ask(request, asked, errors)
        return self._back(request, *self._retry(request, asked))

    # The page that asks

    def _begin(self, request: HttpRequest) -> HttpResponse:
        cause = cause_named(self.page.model, self.name)
        asked = self._to_ask(request, cause) if cause else None
        if asked is None:
            return self._back(request, messages.WARNING, GONE)
        return self._ask(request, asked, {})

    def _rows(self, request: HttpRequest, until: datetime) -> Any:
        """Return what a retry takes of the rows that had failed by then, the newest first."""
        of_table: Any = self.page.get_queryset(request)
        rows = of_table.retriable().with_cause(self.name).alias(failed_by=FAILED_AT)
        rows = rows.filter(failed_by__lte=until)
        return rows.order_by(NEWEST_FIRST, "pk").defer(None)

    def _to_ask(self, request: HttpRequest, cause: Cause) -> First | None:
        """Return which row goes first: the newest that would really be sent."""
        rows = self._rows(request, cause.last_at)
        newest = list(rows[:MOST_SHOWN])
        if not newest:
            return None
        wanted = would_send(newest, sender_of=self.page.sender_of, now=now_of(request))
        goes = [row for row, would in zip(newest, wanted, strict=True) if would.ended is None]
        count = rows.values("pk")[:MOST_RETRIED].count()
        return First((goes or newest)[0].pk, cause.last_at, count)

    def _ask(self, request: HttpRequest, asked: First, errors: dict[str, str]) -> HttpResponse:
        start = start_in(request.POST.get(FROM, ""), asked.count)
        shown = self._shown(request, asked, start)
        upto = start + len(shown.lines)
        context = {
            **self.site.each_context(request),
            "opts": self.page.opts,
            "title": LABEL,
            "action": self._action(asked.count),
            "action_url": request.path,
            "count": asked.count,
            "lines": shown.lines,
            "notices": self._notices(shown, asked),
            "first": start + 1,
            "upto": upto,
            "before": max(0, start - MOST_SHOWN) if start else None,
            "more": asked.count - upto,
            "number": asked.count,
            "asks_number": asked.count > MOST_SHOWN,
            "seen": f"{asked.key}@{asked.until.isoformat()}@{asked.count}",
            "back_url": back_url(),
            "errors": errors,
            "reason": request.POST.get("reason", ""),
        }
        return TemplateResponse(request, "admin/retry_cause.html", context)

    def _action(self, count: int) -> StaffAction:
        consequence = ONE if count == 1 else MANY
        return StaffAction(
            "retry_cause",
            LABEL,
            permission_of(self.page),
            consequence,
            needs_reason=True,
            sends=True,
            asks_number=True,
            reason_help=REASON_HELP,
        )

    def _shown(self, request: HttpRequest, asked: First, start: int) -> Shown:
        """Return the messages of one page as they would go, on the first the test before all."""
        rows = self._rows(request, asked.until)
        others = rows.exclude(pk=asked.key)[max(0, start - 1) : start + MOST_SHOWN - 1]
        chosen = [*(rows.filter(pk=asked.key) if not start else ()), *others]
        shown = self.page.shown(retry_of(self.page), chosen, 0, now=now_of(request))
        url = self.page.url_of("change", asked.key)
        lines = sorted(shown.lines, key=lambda line: line.preview.record_url != url)
        return Shown(lines, shown.notices)

    def _notices(self, shown: Shown, asked: First) -> list[str]:
        newest = [NEWEST] if asked.count == MOST_RETRIED else []
        of_these = "Of those on this page: " if asked.count > len(shown.lines) else ""
        return [*newest, *(f"{of_these}{notice}" for notice in shown.notices)]

    # Its button

    def _asked(self, seen: str) -> First | None:
        """Read what the page showed; None for nonsense."""
        key, _, rest = seen.partition("@")
        until, _, count = rest.rpartition("@")
        keys, instant = self.page.valid_keys([key]), instant_of(until)
        is_known = keys and instant and instant.tzinfo and count.isascii() and count.isdecimal()
        if not is_known or instant is None:
            return None
        return First(keys[0], instant, int(count[:6]))

    def _errors(self, request: HttpRequest, asked: First) -> dict[str, str]:
        errors = {}
        if why := wrong_reason(request.POST.get("reason", "").strip(), is_needed=True):
            errors["reason"] = why
        wrong = wrong_number(request.POST.get("number", "").strip(), asked.count)
        if asked.count > MOST_SHOWN and wrong:
            errors["number"] = wrong
        return errors

    def _retry(self, request: HttpRequest, asked: First) -> tuple[int, str]:
        """Do it; return a message's level and what came of it."""
        cause = cause_named(self.page.model, self.name)
        if cause is None:
            return messages.WARNING, GONE
        try:
            keys, retry = self._begun(request, asked, cause)
        except Refused as error:
            return messages.WARNING, str(error)
        level, sentence = self.page.send_now(request, Changed(1, {}, (asked.key,)))
        if retry:
            settle_canaries(self.page.model)
            retry.refresh_from_db()
            sentence = f"{retry.sentence(now_of(request))} {sentence}"
        if gone := max(0, asked.count - len(keys)):
            sentence += f" Skipped: {gone:,} {CHANGED_MEANWHILE}."
        is_well = not gone and (retry is None or retry.is_waiting)
        return (level if is_well else messages.WARNING), sentence

    def _begun(
        self, request: HttpRequest, asked: First, cause: Cause
    ) -> tuple[list[Any], CanaryRetry | None]:
        """Begin the retry and write it into the history of each row, or neither."""
        reason = request.POST.get("reason", "").strip()
        row = self._rows(request, asked.until).filter(pk=asked.key).first()
        what = means(row.last_error, reason=row.reason, correct="")[0] if row else ""
        with transaction.atomic():
            keys, retry = retry_cause(
                cause, first=asked, by=request.user.get_username(), why=reason, meaning=what
            )
            rows = self.page.get_queryset(request).filter(pk__in=keys)
            said = with_reason(f"{LABEL}: {len(keys)} of {asked.count}.", reason)
            self.page.log(request, rows, said)
        return keys, retry

    def _back(self, request: HttpRequest, level: int, sentence: str) -> HttpResponse:
        messages.add_message(request, level, sentence)
        return HttpResponseRedirect(back_url())


def back_url() -> str:
    return reverse("admin:egac_failure_changelist")
