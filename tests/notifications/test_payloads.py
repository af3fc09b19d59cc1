"""What a queued row may say: what could never be sent is told so, in a sentence that names it."""

import json
import math
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import pytest
from django.utils.translation import gettext_lazy
from pytest_django.fixtures import Settings

from egac.outbox import Unsendable
from notifications import payloads
from notifications.catalogue import TYPES, email_payload, sample_context, whatsapp_payload
from tests.notifications.factories import email, whatsapp


def without(payload: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in payload.items() if key != name}


def templated(**more: Any) -> dict[str, Any]:
    payload = email_payload(
        "access_restored", to="amelia@families.example", context=sample_context("access_restored")
    )
    return payload | more


UNSENDABLE: dict[str, tuple[Any, str]] = {
    # No object
    "null": (None, "no object"),
    "a text": ("email", "no object"),
    "a number": (5, "no object"),
    "a list": ([email()], "no object"),
    "a list of the word attachments": (["attachments"], "no object"),
    # Channel
    "nothing": ({}, "names the channel None"),
    "an unknown channel": (email(channel="carrier_pigeon"), "names the channel 'carrier_pigeon'"),
    "no channel": (without(email(), "channel"), "names the channel None"),
    "a channel of another type": (email(channel=["email"]), r"names the channel \['email'\]"),
    "a channel in capitals": (email(channel="Email"), "names the channel 'Email'"),
    # E-mail
    "no recipient": (without(email(), "to"), "names no recipient"),
    "an empty recipient": (email(to="  "), "names no recipient"),
    "a recipient of null": (email() | {"to": None}, "names no recipient"),
    "several recipients": (email() | {"to": ["a@b.example"]}, "payload's to is no text"),
    "no address": (email(to="Amelia Hart"), "'Amelia Hart', is no e-mail address"),
    "a line break in the address": (email(to="a@b.example\nBcc: c@d.example"), "no e-mail address"),
    "no subject": (without(email(), "subject"), "no subject"),
    "a blank subject": (email(subject=" \n "), "no subject"),
    "a subject of another type": (email(subject=42), "payload's subject is no text"),
    "no content": (without(email(), "html"), "neither html nor text, nor a template"),
    "html of another type": (email(html={"p": 1}), "payload's html is no text"),
    "text of another type": (email(text=["Hello"]), "payload's text is no text"),
    "reply_to of another type": (email(reply_to=["a@b.example"]), "payload's reply_to is no text"),
    "attachments of another type": (email(attachments="a.pdf"), "attachments are no list"),
    "an attachment of another type": (email(attachments=["a.pdf"]), "attachments are no list"),
    "an unknown template": (templated(template="no_such"), "no e-mail template called 'no_such'"),
    "a template outside its folder": (templated(template="../admin"), "no e-mail template called"),
    "a template of another type": (templated(template=["x"]), "payload's template is no text"),
    "a template without a context": (without(templated(), "context"), "lacks name, booking"),
    "a context of another type": (templated(context=["name"]), "payload's context is no object"),
    "a gap in the context": (templated(context={"name": "Amelia"}), "lacks booking"),
    "a null in the context": (templated(context={"name": "A", "booking": None}), "lacks booking"),
    "a number in the context": (templated(context={"name": "A", "booking": 7}), "booking is no"),
    # WhatsApp
    "no number": (without(whatsapp(), "to"), "no phone number"),
    "a number of another type": (whatsapp() | {"to": 447700900123}, "payload's to is no text"),
    "too few digits": (whatsapp(to="12"), "phone number"),
    "letters in the number": (whatsapp(to="+44 7700 900123 ext"), "letters"),
    "no WhatsApp template": (without(whatsapp(), "template"), "no WhatsApp template"),
    "a WhatsApp template of another type": (whatsapp(template={}), "no WhatsApp template"),
    "a template as a list": (whatsapp(template=["x"]), "payload's template is no text"),
    "variables of another type": (whatsapp(variables="Amelia"), "variables are no list of texts"),
    "a variable of another type": (whatsapp(variables=["A", 7]), "variables are no list of texts"),
    "a language of another type": (whatsapp(language=7), "payload's language is no text"),
}
NO_JSON: dict[str, tuple[Any, str]] = {
    "NUL": (email(html="a\0b"), "the character NUL"),
    "NUL behind a backslash": (email(html="\\\0"), "the character NUL"),
    "half of a character": (email(html="\ud800"), "written as JSON"),
    "not a number": (email(more=math.nan), "written as JSON"),
    "without end": (email(more=-math.inf), "written as JSON"),
    "an amount": (email(more=Decimal("42.00")), "written as JSON"),
    "bytes": (email(more=b"%PDF"), "written as JSON"),
    "a text that is not there yet": (email(more=gettext_lazy("Monday")), "written as JSON"),
    "a number of 5,000 digits": (email(more=10**5000), "written as JSON"),
}


def nested(depth: int) -> Any:
    payload: Any = "deep"
    for _ in range(depth):
        payload = [payload]
    return payload


@pytest.mark.parametrize("fault", UNSENDABLE)
def test_what_could_never_be_sent_is_told_so(fault: str) -> None:
    payload, sentence = UNSENDABLE[fault]

    with pytest.raises(Unsendable, match=sentence) as refusal:
        payloads.check(payload)

    assert str(refusal.value).endswith(".")


@pytest.mark.parametrize("fault", UNSENDABLE)
def test_no_message_is_made_of_what_could_never_be_sent(fault: str) -> None:
    with pytest.raises(Unsendable):
        payloads.message(UNSENDABLE[fault][0], tag="notifications_queue-1")


@pytest.mark.parametrize("fault", NO_JSON)
def test_what_the_database_could_not_store_is_told_so(fault: str) -> None:
    payload, sentence = NO_JSON[fault]

    with pytest.raises(Unsendable, match=sentence):
        payloads.as_json(payload)


def test_a_payload_that_is_nested_too_deep_is_told_so() -> None:
    with pytest.raises(Unsendable, match="written as JSON"):
        payloads.as_json(email(more=nested(100_000)))


@pytest.mark.parametrize("text", ["\\u0000", "\\\\u0000", "u0000", "\u2028", "é 🏃", "\\"])
def test_any_other_text_is_stored_as_it_is(text: str) -> None:
    assert json.loads(payloads.as_json(email(html=text)))["html"] == text


@pytest.mark.parametrize("type", TYPES)
def test_what_the_catalogue_writes_can_be_sent(type: str) -> None:
    context = sample_context(type)

    payloads.check(email_payload(type, to="amelia@families.example", context=context))
    if TYPES[type].whatsapp:
        payloads.check(whatsapp_payload(type, to="+447700900123", context=context))


@pytest.mark.parametrize(
    "payload",
    [
        email(template=None),
        email(text="See you on Tuesday."),
        without(email(text="See you."), "html"),
        email(reply_to="coach@club.example"),
        email(attachments=[{"filename": "a.txt", "content": "YQ=="}]),
        email(unknown={"to": "us"}),
        MappingProxyType(email()),
        templated(),
        templated(context=sample_context("access_restored") | {"invoice_id": 42}),
        whatsapp(to="07700 900123"),
        without(whatsapp(), "variables"),
        without(whatsapp(), "language"),
        whatsapp(template="a_name_that_only_meta_knows"),
    ],
)
def test_what_is_complete_can_be_sent(payload: Any) -> None:
    payloads.check(payload)

    assert payloads.message(payload, tag="notifications_queue-1")


def test_an_email_of_another_program_is_sent_as_it_was_written() -> None:
    payload = email(to=" amelia@families.example ", text="See you.", reply_to="coach@club.example")

    message = payloads.message(payload, tag="notifications_queue-7")

    assert message["to"] == ["amelia@families.example"]
    assert (message["html"], message["text"]) == ("<p>See you on Tuesday.</p>", "See you.")
    assert message["reply_to"] == "coach@club.example"
    assert message["tags"] == [{"name": "row", "value": "notifications_queue-7"}]


def test_a_national_number_is_read_as_one_of_our_region(settings: Settings) -> None:
    settings.PHONE_REGION = "GB"

    message = payloads.message(whatsapp(to="07700 900123"), tag="notifications_queue-7")

    assert message["to"] == "+447700900123"
    assert message["biz_opaque_callback_data"] == "notifications_queue-7"
