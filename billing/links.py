"""The link to an invoice: signed, so that it opens one invoice and nothing else, and it expires."""

from datetime import timedelta
from functools import lru_cache

from django.conf import settings
from django.core import signing

from egac.providers import NotConfigured

SALT = "billing.invoice"
GOOD_FOR = timedelta(days=120)


def require_site() -> None:
    """Raise NotConfigured where an invoice would link to nowhere."""
    if not settings.OPS_BASE_URL:
        raise NotConfigured(
            "OPS_BASE_URL is not set, so an invoice would link to nowhere. Write "
            "OPS_BASE_URL=https://<this site> into the environment or .env."
        )


def invoice_link(number: str) -> str:
    """Return the address of an invoice's page, good for GOOD_FOR from now on."""
    key = _signer(settings.SECRET_KEY).sign_object(number)
    # All else in a key is letters, digits, - and _.
    return f"{settings.OPS_BASE_URL}/invoices/{number}?key={key.replace(':', '%3A')}"


def number_signed_by(key: str) -> str:
    """Return the number that a link's key opens; raise signing.BadSignature or SignatureExpired."""
    number = signing.loads(key, salt=SALT, max_age=GOOD_FOR)
    return str(number)


@lru_cache(maxsize=1)  # a run signs thousands
def _signer(secret: str) -> signing.TimestampSigner:
    return signing.TimestampSigner(key=secret, salt=SALT)
