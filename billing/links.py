"""The link to an invoice: signed, so that it opens one invoice and nothing else, and it expires."""

from datetime import timedelta
from urllib.parse import urlencode

from django.conf import settings
from django.core import signing

SALT = "billing.invoice"
GOOD_FOR = timedelta(days=120)


def invoice_link(number: str) -> str:
    """Return the address of an invoice's page, good for GOOD_FOR from now on."""
    key = signing.dumps(number, salt=SALT)
    return f"{settings.OPS_BASE_URL}/invoices/{number}?{urlencode({'key': key})}"


def number_signed_by(key: str) -> str:
    """Return the number that a link's key opens; raise signing.BadSignature or SignatureExpired."""
    number = signing.loads(key, salt=SALT, max_age=GOOD_FOR)
    return str(number)
