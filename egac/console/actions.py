"""Staff actions: chosen by POST, shown on a page of their own, done by a second POST, logged.

A page that was left open does no harm: it carries when each row had last changed as it showed
it, and the verb behind it changes only rows of which that still holds.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from django.contrib import messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.admin.options import IS_POPUP_VAR
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from egac.console.confirming import (
    MOST_SHOWN,
    start_in,
    with_reason,
    wrong_number,
    wrong_reason,
)
from egac.console.instant import now_of
from egac.console.paging import MOST_AT_ONCE as MOST_AT_ONCE
from egac.console.records import RecordAdmin

RECORD = "record"  # whose page the press came from, and leads back to
FROM = "from"  # what is posted to see more of the rows, and to do nothing yet
NO_ERRORS: Mapping[str, str] = {}
NOTHING_DONE = "Nothing was changed: choose what to act on, then press the button once more."


@dataclass(frozen=True)
class StaffAction:
    """One button. `name` is part of its address, `permission` opens it."""

    name: str
    label: str
    permission: str
    consequence: str  # what happens to the rows below, on the page that asks
    needs_reason: bool = False  # where not, the reason may stay empty
    one_only: bool = False
    sends: bool = False  # so the page shows each message as it would go
    asks_number: bool = False  # of many at once, typed: rows, or whom `number_of` counts
    is_drastic: bool = False  # people lose what they count on, so its button looks apart
    removes: bool = False  # the rows, so there is no page of one to go back to
    reason_help: str = "It stands in the history, for example “she lost the mail”."


@dataclass(frozen=True)
class Line:
    """One row on the page that asks: to whom, what, and what speaks against it."""

    to: str
    subject: str
    warning: str = ""
    preview: Any = None  # of the message that would go


@dataclass(frozen=True)
class Shown:
    """What the page that asks shows of the rows that an action takes, a page of them at a time."""

    lines: list[Line]
    notices: list[str] = field(default_factory=list)  # what is to be known of all of them


@dataclass(frozen=True)
class Press:
    """A confirmed button: for these rows, as the page had shown them, for this reason."""

    action: StaffAction
    seen: dict[Any, str]  # key of a row: its version on the page
    reason: str
    typed: Mapping[str, Any] = field(default_factory=dict)  # into the form of `form_of`

    def told(self, changed: int, more: str = "") -> str:
        """Return what the history says: what was done, with how many, and why."""
        what = f"{self.action.label}: {changed} of {len(self.seen)}{more}."
        return with_reason(what, self.reason)


class ActingAdmin(RecordAdmin):
    """Records with staff actions. A subclass says what each would do, and does it."""

    staff_actions: tuple[StaffAction, ...] = ()

    def why_not(self, action: StaffAction, row: Any) -> str:
        """Return why the action leaves this row alone, or ""."""
        raise NotImplementedError

    def lines_of(self, action: StaffAction, rows: list[Any]) -> list[Line]:
        """Return what the action would do with each of these rows."""
        raise NotImplementedError

    def shown(self, action: StaffAction, rows: list[Any], start: int, *, now: datetime) -> Shown:
        """Return what the page shows of all these rows; its lines begin at the `start`-th."""
        return Shown(self.lines_of(action, rows[start : start + MOST_SHOWN]))

    def version_of(self, row: Any) -> str:
        """Return what changes whenever the row does."""
        raise NotImplementedError

    def perform(self, request: HttpRequest, press: Press) -> tuple[int, str]:
        """Do it; return a message's level and both numbers as a sentence."""
        raise NotImplementedError

    def number_of(self, action: StaffAction, keys: Sequence[Any]) -> int:
        """Return how many the action touches through these rows: that is typed where it is many."""
        return len(keys)

    def form_of(self, action: StaffAction, keys: Sequence[Any], data: Any) -> Any:
        """Return the form of what else the page asks for these rows, or None where it asks nothing.

        `data` is what was posted, or None where the page is shown for the first time.
        """
        return None

    def permitted(self, request: HttpRequest) -> list[StaffAction]:
        user = request.user
        return [action for action in self.staff_actions if user.has_perm(action.permission)]

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        if IS_POPUP_VAR in request.GET:
            return {}
        return {
            action.name: (self._chosen_in_the_list(action), action.name, action.label)
            for action in self.permitted(request)
        }

    def get_urls(self) -> list[URLPattern]:
        own = [
            path(
                f"{action.name.replace('_', '-')}/",
                self.admin_site.admin_view(partial(self.act, action=action)),
                name=self.url_name(action.name),
            )
            for action in self.staff_actions
        ]
        return own + super().get_urls()

    def url_name(self, page: str) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_{page}"

    def url_of(self, page: str, *args: Any) -> str:
        return reverse(f"admin:{self.url_name(page)}", args=args)

    def _chosen_in_the_list(self, action: StaffAction) -> Callable[..., HttpResponse]:
        def choose(admin: Any, request: HttpRequest, rows: QuerySet[Any]) -> HttpResponse:
            # What was ticked, not what the filter still shows: a row that changed meanwhile
            # shall be named as skipped.
            keys: list[Any] = request.POST.getlist(ACTION_CHECKBOX_NAME)
            if request.POST.get("select_across") == "1":
                keys = list(rows.values_list("pk", flat=True)[: MOST_AT_ONCE + 1])
            return self.ask(request, action, keys, back=request.GET.urlencode())

        return choose

    def act(self, request: HttpRequest, *, action: StaffAction) -> HttpResponse:
        """Show the page that asks, or do what was confirmed there."""
        if not request.user.has_perm(action.permission):
            raise PermissionDenied
        if request.method != "POST":
            messages.warning(request, NOTHING_DONE)
            return HttpResponseRedirect(self.url_of("changelist"))
        back = request.POST.get("back", "")
        if "seen" not in request.POST:
            return self.ask(request, action, request.POST.getlist(ACTION_CHECKBOX_NAME), back=back)
        seen = self._seen(request.POST["seen"])
        reason = request.POST.get("reason", "").strip()
        errors = self._errors(action, request, list(seen))
        if errors or FROM in request.POST:
            return self.ask(request, action, list(seen), back=back, errors=errors)
        form = self.form_of(action, list(seen), request.POST)
        if form is not None and not form.is_valid():
            return self.ask(request, action, list(seen), back=back)
        typed = form.cleaned_data if form is not None else {}
        level, sentence = self.perform(request, Press(action, seen, reason, typed))
        messages.add_message(request, level, sentence)
        is_gone = action.removes and back == RECORD
        return HttpResponseRedirect(self._way_back("" if is_gone else back, seen))

    def ask(
        self,
        request: HttpRequest,
        action: StaffAction,
        keys: Sequence[Any],
        *,
        back: str,
        errors: Mapping[str, str] = NO_ERRORS,
    ) -> HttpResponse:
        """Show what the action would do to these rows, and which it would skip and why."""
        if problem := self._too_many(action, len(keys)):
            messages.warning(request, problem)
            return HttpResponseRedirect(self._way_back(back, ()))
        chosen = self._chosen(request, action, keys)
        going = [row for row in chosen if not self.why_not(action, row)]
        skipped = Counter(why for row in chosen if (why := self.why_not(action, row)))
        posted = request.POST if "seen" in request.POST and FROM not in request.POST else None
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": action.label,
            "action": action,
            "action_url": self.url_of(action.name),
            "count": len(going),
            **self._page_of(request, action, going),
            "number": (number := self.number_of(action, [row.pk for row in going])),
            "asks_number": action.asks_number and number > MOST_SHOWN,
            "skipped": [f"{count} {why}" for why, count in skipped.items()],
            "seen": " ".join(f"{row.pk}@{self.version_of(row)}" for row in going),
            "back": back,
            "back_url": self._way_back(back, keys),
            "errors": errors,
            "reason": request.POST.get("reason", ""),
            "form": self.form_of(action, [row.pk for row in going], posted) if going else None,
        }
        return TemplateResponse(request, "admin/confirm_action.html", context)

    def _chosen(self, request: HttpRequest, action: StaffAction, keys: Sequence[Any]) -> list[Any]:
        rows = self.get_queryset(request).filter(pk__in=self.valid_keys(keys))
        if action.sends:
            rows = rows.defer(None)  # what a list leaves out is looked at here
        return list(rows[:MOST_AT_ONCE])

    def _page_of(
        self, request: HttpRequest, action: StaffAction, going: list[Any]
    ) -> dict[str, Any]:
        """Return the rows of the page that was asked for, and where it lies among the others."""
        start = start_in(request.POST.get(FROM, ""), len(going))
        shown = self.shown(action, going, start, now=now_of(request))
        upto = start + len(shown.lines)
        return {
            "lines": shown.lines,
            "notices": shown.notices,
            "first": start + 1,
            "upto": upto,
            "before": max(0, start - MOST_SHOWN) if start else None,
            "more": len(going) - upto,
        }

    def log(
        self, request: HttpRequest, rows: Iterable[Any], what: str, *, flag: int = CHANGE
    ) -> None:
        """Write a staff action into the history of each row it changed."""
        LogEntry.objects.log_actions(request.user.pk, list(rows), flag, what)  # type: ignore[arg-type]

    def _errors(
        self, action: StaffAction, request: HttpRequest, keys: Sequence[Any]
    ) -> dict[str, str]:
        """Return what the confirmation lacks, by the name of its field."""
        errors = {}
        reason = request.POST.get("reason", "").strip()
        if why := wrong_reason(reason, is_needed=action.needs_reason):
            errors["reason"] = why
        count = self.number_of(action, keys) if action.asks_number else 0
        wrong = wrong_number(request.POST.get("number", "").strip(), count)
        if count > MOST_SHOWN and wrong:
            errors["number"] = wrong
        return errors

    def _too_many(self, action: StaffAction, count: int) -> str:
        if action.one_only and count != 1:
            return f"{action.label} takes exactly one; you chose {count}. Nothing was changed."
        if count > MOST_AT_ONCE:
            return (
                f"At most {MOST_AT_ONCE:,} can be changed at once; you chose more. Nothing was "
                "changed: narrow the list with a filter, then choose again."
            )
        return ""

    def valid_keys(self, keys: Iterable[Any]) -> list[Any]:
        """Return what was posted as keys, without what can be none."""
        valid = []
        for key in keys:
            try:
                valid.append(self.opts.pk.to_python(key))
            except ValidationError:
                continue  # no key at all: nobody's row, so there is nothing to act on
        return valid

    def _seen(self, text: str) -> dict[Any, str]:
        pairs = [part.rpartition("@") for part in text.split()[:MOST_AT_ONCE]]
        return {key: version for name, _, version in pairs for key in self.valid_keys([name])}

    def _way_back(self, back: str, keys: Iterable[Any]) -> str:
        """Return the address of the record, or of the list as it was filtered."""
        if back == RECORD and (one := next(iter(keys), None)):
            return self.url_of("change", one)
        query = back if back != RECORD else ""
        return self.url_of("changelist") + (f"?{query}" if query else "")
