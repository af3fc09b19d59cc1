"""Reads the text of a stored error: who said it, under which code, in which words. Pure."""

import re
from dataclasses import dataclass

from egac.meanings import RESEND

# How the modules of egac/providers and the loop word an error, and its code where the text names
# none. The first that matches counts.
TEXTS = (
    (r"(?P<who>Resend) answered (?P<status>\d+)(?: (?P<code>\w+))?: (?P<words>.*)", ""),
    (r"(?P<who>Resend) refused this e-mail of the batch: (?P<words>.*)", "validation_error"),
    (r"(?P<who>WhatsApp|Zoom) answered \d+ with code (?P<code>\d+): (?P<words>.*)", ""),
    (r"(?P<who>WhatsApp) answered \d+ and neither .*?: (?P<words>.*)", "half_an_answer"),
    (r"(?P<who>Zoom) answered (?P<status>\d+): (?P<words>.*)", ""),
    (r"(?P<who>Zoom) gives no access token \(\d+\): (?P<words>.*)", "token"),
    (r"(?P<who>Zoom) gave no access token", "token"),
    (
        r"(?P<who>\w+) took the message and then failed to send it: "
        r"(?:(?P<code>\d+)\b ?)?(?P<words>.*)",
        "failed_later",
    ),
    (r"(?P<who>\S+) did not (?:finish its )?answer in time", "timeout"),
    (r"(?P<who>\S+) could not be reached", "unreachable"),
    (r"(?P<who>\S+) was not asked", "too_late"),
    (r"The connection to (?P<who>\S+) broke", "connection_broken"),
    (
        r"(?P<who>Resend|Zoom)(?: answered (?:\d+ )?(?:with|for|and)| accepted|'s client failed)",
        "half_an_answer",
    ),
    (r"The sender died before the call", "sender_died"),
    (r"The sender died during the call", "unknown"),
    (r"(?:Rendering|Sending) broke: (?P<words>.*)", "message"),
    (r"Another program began to send it", "another_program"),
    (r"The provider may have accepted it", "uncertain"),
)
READ = tuple((re.compile(pattern, re.DOTALL), code) for pattern, code in TEXTS)
HOSTS = {"resend.com": "Resend", "facebook.com": "WhatsApp", "zoom.us": "Zoom"}
PROVIDERS = set(HOSTS.values())


@dataclass(frozen=True)
class Told:
    """An error as it is looked up: its code, the provider's words, and the provider's name."""

    code: str
    words: str
    who: str = "Resend"


def read(code: str, message: str) -> Told:
    """Return code, words and provider of an error, told apart where one text holds them all."""
    for pattern, fixed in READ:
        if found := pattern.match(message):
            return _told(code, message, found.groupdict(), fixed)
    return Told(code, message, who_is("" if code not in RESEND else "Resend"))


def _told(code: str, message: str, found: dict[str, str | None], fixed: str) -> Told:
    named = found.get("code") or fixed or code or f"http_{found.get('status')}"
    who = who_is(found.get("who") or "")
    if (who, named, found.get("status")) == ("Resend", "validation_error", "403"):
        named = "unverified_domain"
    return Told(named, found.get("words") or message, who)


def who_is(name: str) -> str:
    """Return the provider of a name or of a host."""
    if name in PROVIDERS:
        return name
    return next((who for host, who in HOSTS.items() if name.endswith(host)), "The provider")
