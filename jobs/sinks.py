"""Who is told of an alert, and how: GitHub, Slack, Opsgenie, and what an app registers besides."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.conf import settings

from egac.days import instant_in_words
from egac.providers import github, opsgenie, slack


class Event(StrEnum):
    """What there is to tell of an alert."""

    OPENED = "opened"
    LASTING = "lasting"  # it has changed, or a day has passed
    CLOSED = "closed"


@dataclass(frozen=True)
class Notice:
    """What a sink is told. `number` is the alert's own, `now` the instant of the look."""

    event: Event
    number: int
    cause: str
    sentence: str
    next_step: str
    link: str
    opened_at: datetime
    now: datetime

    @property
    def headline(self) -> str:
        """The one sentence of it."""
        return f"Over: {self.sentence}" if self.event is Event.CLOSED else self.sentence

    @property
    def since(self) -> str:
        """How long it lasts, or lasted, as a sentence."""
        until = f", until {instant_in_words(self.now)}" if self.event is Event.CLOSED else ""
        return f"Since {instant_in_words(self.opened_at)}{until}."

    @property
    def details(self) -> str:
        """What to do and where to look, a line each."""
        if self.event is Event.CLOSED:
            return self.since
        return f"What to do: {self.next_step}\nWhere: {self.link}\n{self.since}"


@dataclass(frozen=True)
class Sink:
    """A place where people look. `tell` may be called twice with the same notice."""

    name: str
    is_configured: Callable[[], bool]
    tell: Callable[[Notice], None]


def link_to(page: str) -> str:
    """Return the whole address of a page of this site."""
    return f"{settings.OPS_BASE_URL}{page}"


def _tell_github(notice: Notice) -> None:
    if notice.event is Event.CLOSED:
        sentence = f"It is over. {notice.details}"
        github.resolve_trouble(notice.cause, sentence=sentence, now=notice.now)
        return
    trouble = github.Trouble(notice.cause, notice.sentence, notice.details)
    github.report_trouble(trouble, now=notice.now)


def _tell_slack(notice: Notice) -> None:
    slack.post_text(f"{notice.headline}\n{notice.details}")


def _tell_opsgenie(notice: Notice) -> None:
    if notice.event is Event.CLOSED:
        opsgenie.close_alert(notice.cause, note=notice.details)
        return
    opsgenie.create_alert(notice.cause, message=notice.sentence, description=notice.details)


SINKS: dict[str, Sink] = {
    sink.name: sink
    for sink in (
        Sink("GitHub", lambda: not github.missing_settings(), _tell_github),
        Sink("Slack", lambda: bool(settings.SLACK_WEBHOOK_URL), _tell_slack),
        Sink("Opsgenie", lambda: bool(settings.OPSGENIE_API_KEY), _tell_opsgenie),
    )
}


def register_sink(sink: Sink) -> None:
    """Let an app tell of alerts by its own means."""
    SINKS[sink.name] = sink
