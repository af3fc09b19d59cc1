"""What a person compares of a message."""

from egac.console.message_parts import parts_of
from egac.providers.whatsapp import template_message


def test_an_email_is_told_by_its_parts() -> None:
    message = {
        "from": "Club <club@club.example>",
        "to": ["a@b.example", "c@d.example"],
        "subject": "Hello",
        "html": "<p>Hi</p>",
        "text": "Hi",
        "reply_to": "office@club.example",
        "attachments": [{"filename": "map.pdf", "content": "x"}],
        "tags": [{"name": "row", "value": "invites-1_2"}],
    }

    assert parts_of(message) == {
        "To": "a@b.example, c@d.example",
        "From": "Club <club@club.example>",
        "Reply to": "office@club.example",
        "Subject": "Hello",
        "Attachments": "map.pdf",
        "Text": "Hi",
    }


def test_the_words_of_an_email_without_plain_text_are_read_from_its_html() -> None:
    assert parts_of({"html": "<p>See <b>you</b></p>"}) == {"Text": "See you"}


def test_a_whatsapp_is_told_by_its_template_and_variables() -> None:
    message = template_message(
        to="+447700900123",
        template="class_reminder",
        language="en_GB",
        variables=["Amelia", "18:30"],
        tag="x",
    )

    assert parts_of(message) == {
        "To": "+447700900123",
        "Template": "class_reminder (en_GB)",
        "Variables": "1. Amelia\n2. 18:30",
    }
