"""What each type of message says: its e-mail in three files, and its WhatsApp variables."""

import re
from html import unescape
from html.parser import HTMLParser
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.http import Http404
from django.test import RequestFactory

from egac.mail import compose
from egac.outbox import Unsendable
from notifications import payloads
from notifications.catalogue import (
    SAMPLES,
    TYPES,
    email_payload,
    require_context,
    sample_context,
    whatsapp_payload,
)
from notifications.preview import preview_html, preview_list

OF_THE_DOMAIN = {
    "booking_confirmation",
    "class_notification",
    "class_host_notification",
    "class_cancelled",
    "invoice_issued",
    "payment_reminder",
    "payment_overdue",
    "access_grace",
    "access_locked",
    "access_restored",
    "payment_received",
    "staff_alert",
}
BY_EMAIL_ONLY = {
    "class_host_notification",
    "payment_overdue",
    "access_restored",
    "staff_alert",
}
EMAILS = settings.BASE_DIR / "templates" / "emails"
ADDRESS = "amelia.hart@families.example"
SCRIPT = "<script>alert('x')</script>\r\nBcc: all@club.example"
HEAD_TAGS = {"html", "head", "meta", "title", "style"}
OUR_TAGS = HEAD_TAGS | {"body", "table", "tr", "td", "h1", "p", "a", "br"}
EACH_NEED = [(type, name) for type, about in TYPES.items() for name in about.needs]

every_type = pytest.mark.parametrize("type", TYPES)


class Reading(HTMLParser):
    """What a person reads in an e-mail, where its links lead, and the tags it is made of."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.links: list[str] = []
        self.tags: set[str] = set()
        self._unread = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [value or "" for name, value in attrs if name == "href"]
        if tag in ("style", "title"):
            self._unread = tag

    def handle_endtag(self, tag: str) -> None:
        if tag == self._unread:
            self._unread = ""

    def handle_data(self, data: str) -> None:
        if not self._unread:
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def composed(type: str, **changed: str) -> dict[str, Any]:
    context = {**sample_context(type), **changed}
    return compose(type, to=ADDRESS, context=context, tag="test")


def links_in(text: str) -> set[str]:
    return set(re.findall(r"https?://\S+", text))


def figures_in(text: str) -> set[str]:
    """Return the amounts, dates and times of a text."""
    dates = r"\d{1,2} [A-Z][a-z]+ \d{4}(?: at \d\d:\d\d [A-Z]+)?"
    return set(re.findall(rf"£[\d,.]*\d|{dates}", text))


def test_knows_every_type_of_the_domain_and_no_other() -> None:
    assert set(TYPES) == OF_THE_DOMAIN


def test_every_folder_of_e_mails_is_a_type_or_the_invite() -> None:
    folders = {each.name for each in EMAILS.iterdir() if each.is_dir()}

    assert folders == {*TYPES, "invite"}


@every_type
def test_every_type_has_its_three_files(type: str) -> None:
    files = {each.name for each in (EMAILS / type).iterdir()}

    assert files == {"subject.txt", "body.txt", "body.html"}


def test_every_sample_is_asked_for_by_a_type() -> None:
    assert set(SAMPLES) == {name for _, name in EACH_NEED}


@every_type
def test_leaves_no_hole_and_no_pile_of_white_space(type: str) -> None:
    message = composed(type)

    for words in (message["subject"], message["text"], message["html"]):
        assert "None" not in words
        assert not re.search(r"\{\{|\{%|\{#|%\}|\}\}", re.sub(r"(?s)<style>.*?</style>", "", words))
    for line in (message["subject"], *message["text"].splitlines()):
        assert "  " not in line
        assert line == line.strip()
    assert "\n\n\n" not in message["text"]
    assert "&amp;" not in message["text"]


@pytest.mark.parametrize(("type", "name"), EACH_NEED)
def test_prints_every_value_that_it_asks_for(type: str, name: str) -> None:
    message = composed(type)

    for part in (message["text"], Reading(message["html"]).text):
        for line in SAMPLES[name].splitlines():
            assert line in part


@every_type
def test_a_name_the_table_does_not_list_is_in_no_template(type: str) -> None:
    listed = {*TYPES[type].needs, "club_name", "block.super"}
    source = "".join((EMAILS / type / name).read_text() for name in ("body.html", "body.txt"))
    source += (EMAILS / type / "subject.txt").read_text()

    printed = re.findall(r"\{\{ ?([\w.]+)", source) + re.findall(r"(?:value|link)=(\w+)", source)

    assert set(printed) <= listed


@every_type
def test_html_shows_a_script_in_any_value_as_text(type: str) -> None:
    message = composed(type, **dict.fromkeys(TYPES[type].needs, SCRIPT))

    reading = Reading(message["html"])

    assert "script" not in reading.tags
    assert "<script>alert('x')</script>" in reading.text
    assert reading.tags <= OUR_TAGS


@every_type
def test_a_value_cannot_break_a_subject_into_two_lines(type: str) -> None:
    subject = composed(type, **dict.fromkeys(TYPES[type].needs, SCRIPT))["subject"]

    assert subject == " ".join(subject.split())
    assert "&lt;" not in subject


@every_type
def test_a_subject_fits_into_a_line_of_a_mailbox(type: str) -> None:
    assert 0 < len(composed(type)["subject"]) <= 78


@every_type
def test_text_and_html_carry_the_same_links(type: str) -> None:
    message = composed(type)
    asked_for = {SAMPLES[name] for name in TYPES[type].needs if name.endswith("_link")}

    reading = Reading(message["html"])

    assert links_in(message["text"]) == set(reading.links) == links_in(reading.text) == asked_for


@every_type
def test_text_and_html_carry_the_same_amounts_and_dates(type: str) -> None:
    message = composed(type)

    in_text = figures_in(message["text"])

    assert in_text == figures_in(Reading(message["html"]).text)
    assert figures_in(message["subject"]) <= in_text


@every_type
def test_says_who_writes_and_how_to_answer(type: str) -> None:
    message = composed(type)

    for part in (message["text"], unescape(message["html"])):
        assert settings.CLUB_NAME in part
        assert type == "staff_alert" or "Reply to this e-mail" in part


def test_the_host_link_is_in_the_message_to_the_instructor_alone() -> None:
    asking = {type for type, name in EACH_NEED if name == "host_link"}
    printing = {file.parent.name for file in EMAILS.rglob("*.*") if "host_link" in file.read_text()}

    assert asking == printing == {"class_host_notification"}


@pytest.mark.parametrize("value", [None, "", " \n", "None"])
@pytest.mark.parametrize(("type", "name"), EACH_NEED)
def test_refuses_a_hole_by_its_name(type: str, name: str, value: str | None) -> None:
    context = {**sample_context(type), name: value}

    with pytest.raises(Unsendable, match=rf"{type} lacks {name}\.$"):
        require_context(type, context)


def test_names_everything_that_is_missing_at_once() -> None:
    with pytest.raises(Unsendable, match="access_restored lacks name, booking"):
        require_context("access_restored", {})


def test_refuses_a_number_that_is_not_written_out() -> None:
    context: dict[str, Any] = {**sample_context("invoice_issued"), "amount": 42.0}

    with pytest.raises(Unsendable, match="amount is no text"):
        require_context("invoice_issued", context)


def test_refuses_a_link_that_leads_nowhere() -> None:
    context = {**sample_context("class_notification"), "join_link": "javascript:alert(1)"}

    with pytest.raises(Unsendable, match="join_link is no web address"):
        require_context("class_notification", context)


def test_takes_more_than_the_table_asks_for_and_templates_it_does_not_know() -> None:
    require_context("access_restored", {**sample_context("access_restored"), "booking_id": 7})
    require_context("of_another_program", {})


@every_type
def test_the_queue_refuses_a_payload_with_a_hole(type: str) -> None:
    payload = email_payload(type, to=ADDRESS, context=sample_context(type))
    payloads.check(payload)
    gap = TYPES[type].needs[-1]
    del payload["context"][gap]

    with pytest.raises(Unsendable, match=gap):
        payloads.check(payload)


@every_type
def test_the_payload_of_an_e_mail_has_the_shape_of_the_queue(type: str) -> None:
    context = sample_context(type)

    payload = email_payload(type, to=ADDRESS, context=context)

    assert payload == {"channel": "email", "to": ADDRESS, "template": type, "context": context}


# As they have to be registered at Meta: a changed order sends a date where an amount is expected.
@pytest.mark.parametrize(
    ("type", "template", "names"),
    [
        ("booking_confirmation", "booking_confirmation", "name booking first_class_at"),
        ("class_notification", "class_reminder", "name starts_at join_link"),
        ("class_cancelled", "class_cancelled", "name class_name starts_at cancelled_because"),
        ("invoice_issued", "invoice_issued", "name invoice_number amount due_on invoice_link"),
        ("payment_reminder", "payment_reminder", "name invoice_number amount due_on invoice_link"),
        (
            "access_grace",
            "access_grace",
            "name booking invoice_number amount locks_on invoice_link",
        ),
        ("access_locked", "access_locked", "name booking invoice_number amount invoice_link"),
        ("payment_received", "payment_received", "name invoice_number paid_amount paid_on"),
    ],
)
def test_whatsapp_variables_stand_in_their_order(type: str, template: str, names: str) -> None:
    context = {name: f"https://{name}.example" for name in TYPES[type].needs}

    payload = whatsapp_payload(type, to="+447700900123", context=context)

    assert payload == {
        "channel": "whatsapp",
        "to": "+447700900123",
        "template": template,
        "language": "en_GB",
        "variables": [f"https://{name}.example" for name in names.split()],
        "context": context,
    }


def test_only_these_types_go_by_e_mail_only() -> None:
    assert {type for type, about in TYPES.items() if about.whatsapp is None} == BY_EMAIL_ONLY
    for type in BY_EMAIL_ONLY:
        with pytest.raises(Unsendable, match=f"{type} goes by e-mail only"):
            whatsapp_payload(type, to="+447700900123", context=sample_context(type))


def test_whatsapp_variables_are_single_lines() -> None:
    context = {**sample_context("payment_received"), "name": " Amelia\n\tHart      of Bower Lane "}

    payload = whatsapp_payload("payment_received", to="+447700900123", context=context)

    assert payload["variables"][0] == "Amelia Hart of Bower Lane"


@pytest.mark.parametrize("make", [email_payload, whatsapp_payload])
def test_a_payload_is_refused_for_a_hole_and_for_an_unknown_type(make: Any) -> None:
    with pytest.raises(Unsendable, match="lacks name"):
        make("payment_received", to=ADDRESS, context={})
    with pytest.raises(Unsendable, match="no type of message called 'pigeon'"):
        make("pigeon", to=ADDRESS, context={})


def test_only_what_somebody_waits_for_is_urgent() -> None:
    urgent = {type for type, about in TYPES.items() if about.is_urgent}

    assert urgent == {
        "booking_confirmation",
        "class_notification",
        "class_host_notification",
        "class_cancelled",
        "access_restored",
    }


def test_the_preview_shows_every_type_with_its_subject_and_a_frame(rf: RequestFactory) -> None:
    request = rf.get("/admin/messages/")
    request.user = User(username="sam", is_staff=True, is_superuser=True)

    page = unescape(preview_list(request).content.decode())

    for type in TYPES:
        assert composed(type)["subject"] in page
        assert composed(type)["text"] in page
        assert f'<iframe class="ops-email" sandbox title="{TYPES[type].title}' in page
        assert f'src="{type}/"' in page


@every_type
def test_the_framed_e_mail_runs_no_script(type: str, rf: RequestFactory) -> None:
    response = preview_html(rf.get("/"), type)

    assert response.content.decode() == composed(type)["html"]
    assert response["Content-Security-Policy"].startswith("sandbox; default-src 'none'")


def test_there_is_no_preview_of_an_unknown_type(rf: RequestFactory) -> None:
    with pytest.raises(Http404):
        preview_html(rf.get("/"), "../base")
