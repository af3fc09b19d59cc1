"""Telephone numbers of people in our tables, found however they are written."""

from django.conf import settings
from django.db.models import Func, Value
from django.db.models.functions import Right

from egac.outbox import Unsendable
from egac.providers.whatsapp import usable_number

# However a number is written, it ends in the same digits: what they find is compared in E.164.
DIGITS_COMPARED = 6
END_OF_PHONE = Right(
    Func("phone", Value("[^0-9]"), Value(""), Value("g"), function="regexp_replace"),
    DIGITS_COMPARED,
)


def in_e164(phone: str) -> str:
    """Return a number in E.164, a national one read as one of PHONE_REGION; "" for no number."""
    try:
        return usable_number(phone, region=settings.PHONE_REGION)
    except Unsendable:
        return ""
