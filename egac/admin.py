"""The admin site, and what every page of it says."""

from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.admin import AdminSite
from django.http import HttpRequest


class OpsSite(AdminSite):
    """Django's admin under the club's name."""

    site_title = "EGAC Ops"
    site_header = "EGAC Ops"
    index_title = "Operations"
    enable_nav_sidebar = False


def where_messages_go(request: HttpRequest) -> dict[str, str]:
    """Tell every page whether messages leave this machine, and where else they can be read."""
    return {"sending_banner": sending_banner(), "inbox_url": settings.STANDIN_INBOX_URL}


def sending_banner() -> str:
    """Return what a person must know before pressing a button that sends, or ""."""
    if not settings.SENDING:
        return "Sending is switched off (SENDING=off): messages wait."
    if settings.RESEND_DRY_RUN:
        return "Dry run (RESEND_DRY_RUN): e-mails are rendered and nothing is sent."
    if urlsplit(settings.RESEND_API_URL).hostname in ("127.0.0.1", "localhost", "::1"):
        return "Nothing leaves this machine: e-mails go to a local stand-in."
    if settings.DIVERT_EMAIL_TO:
        return f"Every e-mail goes to {settings.DIVERT_EMAIL_TO} (DIVERT_EMAIL_TO)."
    return ""
