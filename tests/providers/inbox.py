"""The inbox: which page answers which path, under a policy that lets no script run."""

from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote

from tests.providers import pages
from tests.providers.ledger import Accepted, Call
from tests.providers.resend import Resend
from tests.providers.whatsapp import WhatsApp, as_mail
from tests.providers.wire import Answer, Delivery, Request

STYLE = Path(__file__).with_name("inbox.css")
PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; img-src data:; frame-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
MAIL_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:"
NO_MESSAGE = "There is no such message. Look for it in the inbox."
SAFE = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class Inbox:
    def __init__(self, resend: Resend, whatsapp: WhatsApp) -> None:
        self.resend = resend
        self.whatsapp = whatsapp

    def owns(self, path: str) -> bool:
        return path in ("/", "/favicon.ico", "/inbox") or path.startswith("/inbox/")

    def answer(self, request: Request) -> Delivery:
        if request.method not in ("GET", "HEAD"):
            return Delivery(_page(405, pages.missing_page("This page can only be read.")))
        return Delivery(self._answer(unquote(request.path)))

    def _answer(self, path: str) -> Answer:
        if path == "/":
            return Answer(302, headers={"Location": "/inbox"})
        if path in ("/inbox", "/inbox/"):
            return _page(200, pages.overview_page(self._accepted(), self._calls()))
        if path == "/inbox/style.css":
            return Answer(200, STYLE.read_bytes(), "text/css; charset=utf-8", SAFE)
        message_id, _, part = path.removeprefix("/inbox/").partition("/")
        message = next((each for each in self._accepted() if each.id == message_id), None)
        if message is None or part not in ("", "html"):
            return _page(404, pages.missing_page(NO_MESSAGE))
        return _mail(message) if part == "html" else _page(200, pages.message_page(message))

    def _accepted(self) -> list[Accepted]:
        """Return the messages of both, as they came; one shape, so that one page shows them."""
        told = [replace(each, payload=as_mail(each.payload)) for each in self.whatsapp.accepted]
        return sorted(self.resend.accepted + told, key=lambda message: message.wall)

    def _calls(self) -> list[Call]:
        return sorted(self.resend.calls + self.whatsapp.calls, key=lambda call: call.started_at)


def _page(status: int, html: str) -> Answer:
    return _html(status, html, policy=PAGE_POLICY)


def _mail(message: Accepted) -> Answer:
    """Return the e-mail's own HTML, as sent; its policy is what makes it harmless."""
    return _html(200, str(message.payload.get("html") or ""), policy=MAIL_POLICY)


def _html(status: int, html: str, *, policy: str) -> Answer:
    """Encode without failing on the lone surrogates that JSON lets in."""
    headers = {"Content-Security-Policy": policy, **SAFE}
    return Answer(status, html.encode(errors="replace"), "text/html; charset=utf-8", headers)
