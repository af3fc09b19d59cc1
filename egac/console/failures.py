"""The page of failures by cause, and its buttons: retry all with one cause, take that back."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from egac.canary import CanaryRetry, Refused, take_back
from egac.causes import MOST_CAUSES, NAME, Cause, causes_of, tables_with_causes
from egac.channels import NAMES
from egac.console.actions import NOTHING_DONE
from egac.console.confirming import with_reason, wrong_reason
from egac.console.dashboard import REFRESH_SECONDS
from egac.console.instant import now_of
from egac.console.outgoing import OutgoingAdmin
from egac.console.records import RecordAdmin, moment
from egac.console.retry_cause import RetryPage, permission_of
from egac.explain import day_and_clock, means, provider_code
from egac.masking import ADDRESS
from egac.staff import CHANGED_MEANWHILE, Changed

MOST_ENDED = 10
WHY_TAKEN_BACK = "Nothing was taken back: write why, then press Take back once more."


@dataclass(frozen=True)
class Example:
    """One failed row of a cause."""

    name: str
    url: str


@dataclass(frozen=True)
class Line:
    """One cause in one table, as the page tells it."""

    key: str  # of its addresses
    shared: tuple[str, str, str]  # channel, code and words: alike in every table
    cause: Cause
    rows: str  # what the table holds, in words
    table: str  # where its rows stand, in words
    channel: str
    what: str
    then: str
    examples: list[Example]
    list_url: str
    may_retry: bool
    retry: CanaryRetry | None = None  # the one that waits
    stands: str = ""

    @property
    def first(self) -> Any:
        return moment(self.cause.first_at)

    @property
    def last(self) -> Any:
        return moment(self.cause.last_at)


@dataclass(frozen=True)
class Card:
    """One cause in every table where rows failed for it: a line each, the longest first."""

    lines: list[Line]

    @property
    def what(self) -> str:
        """What its errors say; where they are many, without the address of one of them."""
        what = self.lines[0].what
        return ADDRESS.sub("…", what) if self.count > 1 else what

    @property
    def count(self) -> int:
        return sum(line.cause.count for line in self.lines)

    @property
    def in_words(self) -> str:
        return " and ".join(f"{line.cause.in_words} {line.rows}" for line in self.lines)


class FailureAdmin(RecordAdmin):
    """Failed rows of every table, a card a cause."""

    def get_urls(self) -> list[URLPattern]:
        view, of = self.admin_site.admin_view, "egac_failure"
        return [
            path("", view(self.changelist_view), name=f"{of}_changelist"),
            path("<str:key>/retry/", view(self.retry), name=f"{of}_retry"),
            path("<str:key>/take-back/", view(self.take_back), name=f"{of}_take_back"),
            path("<str:key>/test/", view(self.test), name=f"{of}_test"),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show every cause for which rows failed, the commonest first, and the last retries."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        pages = [page for page in pages_of_tables() if page.has_view_permission(request)]
        now = now_of(request)
        retries = latest_retries([page.model._meta.db_table for page in pages])
        waiting = {(each.source, each.cause): each for each in retries if each.is_waiting}
        lines = [line for page in pages for line in lines_of(page, request, waiting, now)]
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": "Failures",
            "cards": cards_of(lines),
            "ended": [told_of(each, now) for each in retries if not each.is_waiting],
            "is_cut": any(count >= MOST_CAUSES for count in _counts(lines)),
            "most": MOST_CAUSES,
            "refresh_seconds": REFRESH_SECONDS,
            "lists": [(page.opts.verbose_name_plural, page.url_of("changelist")) for page in pages],
        }
        return TemplateResponse(request, "admin/failures.html", context)

    def test(self, request: HttpRequest, key: str) -> HttpResponse:
        """Answer with how the latest test of a cause stands, in the place of what a page shows."""
        page, name = self._named(key)
        if not page.has_view_permission(request):
            raise PermissionDenied
        if request.headers.get("HX-Request") != "true":
            return redirect("admin:egac_failure_changelist")  # it is no whole page
        of_it = CanaryRetry.objects.filter(source=page.model._meta.db_table, cause=name)
        retry = of_it.order_by("-started_at").first()
        if retry is None:
            raise Http404
        line = {
            "key": key,
            "retry": retry,
            "stands": retry.sentence(now_of(request)),
            "may_retry": request.user.has_perm(permission_of(page)),
        }
        context = {"line": line, "is_refresh": True, "refresh_seconds": REFRESH_SECONDS}
        return TemplateResponse(request, "admin/canary.html", context)

    # The buttons

    def retry(self, request: HttpRequest, key: str) -> HttpResponse:
        """Show the page that asks, or retry what was confirmed there."""
        page, name = self._asked(request, key)
        if request.method != "POST":
            return self._back(request, messages.WARNING, NOTHING_DONE)
        return RetryPage(self.admin_site, page, name).answer(request)

    def take_back(self, request: HttpRequest, key: str) -> HttpResponse:
        """Leave the rows that wait under a canary failed."""
        page, _ = self._asked(request, key)
        if request.method != "POST":
            return self._back(request, messages.WARNING, NOTHING_DONE)
        if not (reason := request.POST.get("reason", "").strip()):
            return self._back(request, messages.WARNING, WHY_TAKEN_BACK)
        if why_not := wrong_reason(reason, is_needed=True):
            return self._back(request, messages.WARNING, why_not)
        posted = request.POST.get("retry", "")
        pk = int(posted) if posted.isascii() and posted.isdecimal() and len(posted) < 18 else 0
        now = now_of(request)
        try:
            with transaction.atomic():
                by, source = request.user.get_username(), page.model._meta.db_table
                keys, retry = take_back(pk, source=source, by=by, now=now)
                what = f"Take back: {len(keys)} of {retry.held}. They stay failed as before."
                log(request, page, keys, with_reason(what, reason))
        except Refused as error:
            return self._back(request, messages.WARNING, str(error))
        gone = retry.held - len(keys)
        changed = Changed(len(keys), {CHANGED_MEANWHILE: gone} if gone else {})
        sentence = f"{changed.sentence('taken back')} {retry.sentence(now)}"
        return self._back(request, messages.WARNING if gone else messages.SUCCESS, sentence)

    def _asked(self, request: HttpRequest, key: str) -> tuple[OutgoingAdmin, str]:
        """Return the pages of the table that is meant, and the cause; refuse who may not retry."""
        page, name = self._named(key)
        if not request.user.has_perm(permission_of(page)):
            raise PermissionDenied
        return page, name

    def _named(self, key: str) -> tuple[OutgoingAdmin, str]:
        """Return the pages of the table that a key names, and the cause."""
        table, _, name = key.rpartition("-")
        if not NAME.fullmatch(name):
            raise Http404
        page = next(
            (each for each in pages_of_tables() if each.model._meta.db_table == table), None
        )
        if page is None:
            raise PermissionDenied
        return page, name

    def _back(self, request: HttpRequest, level: int, sentence: str) -> HttpResponse:
        messages.add_message(request, level, sentence)
        return HttpResponseRedirect(reverse("admin:egac_failure_changelist"))


def log(request: HttpRequest, page: OutgoingAdmin, keys: list[Any], what: str) -> None:
    """Write what was done into the history of each row."""
    page.log(request, page.get_queryset(request).filter(pk__in=keys), what)


def pages_of_tables() -> list[OutgoingAdmin]:
    """Return the pages of every table whose failures are told by cause."""
    pages = (admin.site._registry.get(model) for model in tables_with_causes().values())
    return [page for page in pages if isinstance(page, OutgoingAdmin)]


def latest_retries(tables: list[str]) -> list[CanaryRetry]:
    """Return the retries of these tables that wait, and the last that ended."""
    of_them = CanaryRetry.objects.filter(source__in=tables)
    waiting = of_them.filter(state=CanaryRetry.State.WAITING)
    ended = of_them.exclude(state=CanaryRetry.State.WAITING).order_by("-started_at")
    return [*waiting, *ended[:MOST_ENDED]]


def told_of(retry: CanaryRetry, now: Any) -> dict[str, Any]:
    """Return what the page says of a retry that has ended."""
    who = f"{retry.started_by}, {day_and_clock(retry.started_at)}: {retry.why}"
    return {"who": who, "meaning": retry.meaning, "sentence": retry.sentence(now)}


def lines_of(
    page: OutgoingAdmin, request: HttpRequest, waiting: dict[Any, CanaryRetry], now: Any
) -> Iterator[Line]:
    """Yield a line for each cause of a table."""
    table = page.model._meta.db_table
    causes = causes_of(page.model)
    keys = [key for cause in causes for key in cause.newest]
    rows = page.get_queryset(request).in_bulk(keys) if keys else {}
    may = request.user.has_perm(permission_of(page))
    for cause in causes:
        examples = [rows[key] for key in cause.newest if key in rows]
        if not examples:
            continue  # retried while the page was made
        retry = waiting.get((table, cause.name))
        what, then = means_for(page, examples[0])
        channel = page.sender_of(examples[0]).channel
        yield Line(
            key=f"{table}-{cause.name}",
            shared=(channel, provider_code(examples[0].last_error), cause.said),
            cause=cause,
            rows=str(page.opts.verbose_name if cause.count == 1 else page.opts.verbose_name_plural),
            table=str(page.opts.verbose_name_plural),
            channel=NAMES[channel],
            what=what,
            then=then,
            examples=[
                Example(row.recipient or "nobody", page.url_of("change", row.pk))
                for row in examples
            ],
            list_url=f"{page.url_of('changelist')}?cause={cause.name}",
            may_retry=may,
            retry=retry,
            stands=retry.sentence(now) if retry else "",
        )


def cards_of(lines: list[Line]) -> list[Card]:
    """Return the lines with those of one cause together, the commonest cause first."""
    alike: dict[tuple[str, str, str], list[Line]] = {}
    for line in sorted(lines, key=lambda line: -line.cause.count):
        alike.setdefault(line.shared, []).append(line)
    return sorted((Card(each) for each in alike.values()), key=lambda card: -card.count)


def means_for(page: OutgoingAdmin, row: Any) -> tuple[str, str]:
    """Return what the cause of a row means and what to do, each a sentence."""
    return means(row.last_error, reason=row.reason, correct=page.correction)


def _counts(lines: list[Line]) -> list[int]:
    tables = [line.key.rpartition("-")[0] for line in lines]
    return [tables.count(table) for table in set(tables)]
