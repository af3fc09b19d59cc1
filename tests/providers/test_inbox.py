"""The inbox page and the demo, as a newcomer meets them."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from tests.providers.__main__ import keep_all
from tests.providers.client import BAD, get, mail_to, post, statuses
from tests.providers.demo import behave_by_address
from tests.providers.faults import Fault, always
from tests.providers.server import ProviderServer
from tests.providers.whatsapp import whatsapp_error

PROJECT = Path(__file__).resolve().parents[2]
EVIL = "<script>alert(1)</script>"
STAND_IN = (
    "This is a local stand-in for the e-mail and WhatsApp providers. Nothing left this machine."
)


def page(server, path="/inbox"):
    return get(server, path).text


def test_an_empty_inbox_says_so_and_that_nothing_left_the_machine(server):
    text = page(server)

    assert "0 messages accepted, 0 calls refused." in text
    assert "No message yet." in text
    assert STAND_IN in text


def test_the_front_door_leads_to_the_inbox(server):
    assert get(server, "/").url == f"{server.url}/inbox"


def test_lists_the_newest_message_first(server):
    for subject in ("Older", "Newer"):
        post(server, mail_to("ana@families.example", subject=subject))

    text = page(server)

    assert "2 messages accepted" in text
    assert 0 < text.index("Newer") < text.index("Older")


def test_lists_a_refused_call_with_its_address_status_and_name(server):
    server.resend.faults = always(Fault.rate_limited())
    post(server, mail_to("busy@families.example"))

    text = page(server)

    assert "1 call refused" in text
    assert all(part in text for part in ("busy@families.example", "429", "rate_limit_exceeded"))


@pytest.mark.parametrize("field", ["subject", "text", "html", "from", "headers", "tags", "to"])
def test_escapes_whatever_a_message_holds(server, field):
    server.resend.ledger.accept([{**mail_to("ana@families.example"), **evil(field)}], key=EVIL)
    message_id = server.resend.accepted[0].id

    text = page(server) + page(server, f"/inbox/{message_id}")

    assert "<script" not in text
    assert "&lt;script&gt;" in text


def evil(field):
    shapes = {"headers": {EVIL: EVIL}, "tags": [{"name": EVIL}], "to": [EVIL]}
    return {field: shapes.get(field, EVIL)}


def test_escapes_the_address_of_a_refused_call(server):
    post(server, {**BAD, "to": [f"{EVIL}@x"]})

    assert "<script" not in page(server)


def whatsapp(server):
    """Let a WhatsApp message be accepted; return its id."""
    parameters = [{"type": "text", "text": EVIL}]
    template = {
        "name": "reminder",
        "language": {"code": "en_GB"},
        "components": [{"type": "body", "parameters": parameters}],
    }
    payload = {"to": "+447700900123", "template": template, "biz_opaque_callback_data": "row-7"}
    [taken] = server.whatsapp.ledger.accept([payload], key=None, prefix="wamid.")
    return taken.id


def test_shows_whatsapp_messages_among_the_e_mails(server):
    post(server, mail_to("ana@families.example", subject="Older"))
    message_id = whatsapp(server)
    post(server, mail_to("ana@families.example", subject="Newer"))

    listed, shown = page(server), page(server, f"/inbox/{message_id}")

    parts = [listed.index(part) for part in ("Newer", "WhatsApp template reminder", "Older")]
    assert parts == sorted(parts)
    assert "3 messages accepted" in listed
    assert all(part in shown for part in ("+447700900123", "row-7", "en_GB", "{{1}} &lt;script"))
    assert "<script" not in listed + shown


def test_lists_a_refused_whatsapp_call_with_metas_code(server):
    server.whatsapp.faults = always(whatsapp_error(131026, "Message undeliverable"))
    path = "/v23.0/106540352242922/messages"
    post(server, {"to": "+447700900123"}, path=path, token="any")

    text = page(server)

    assert all(part in text for part in ("1 call refused", "+447700900123", "131026"))


def test_shows_the_html_part_in_a_sandbox_of_its_own(server):
    message_id = post(server, mail_to("ana@families.example", html=EVIL)).json()["id"]

    frame = get(server, f"/inbox/{message_id}/html")

    assert f'<iframe sandbox src="/inbox/{message_id}/html"' in page(server, f"/inbox/{message_id}")
    assert frame.text == EVIL
    assert frame.headers["Content-Security-Policy"] == (
        "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    )


def test_lets_no_script_and_no_inline_style_run(server):
    message_id = post(server, mail_to("ana@families.example", html="<b>Hi</b>")).json()["id"]

    for path in ("/inbox", f"/inbox/{message_id}", "/inbox/none"):
        answer = get(server, path)
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; ")
        assert "unsafe" not in answer.headers["Content-Security-Policy"]
        assert not any(inline in answer.text for inline in ("<script", "<style", " style=", " on"))


def test_serves_its_style(server):
    assert get(server, "/inbox/style.css").headers["Content-Type"].startswith("text/css")


@pytest.mark.parametrize("path", ["/inbox/none", "/inbox/none/html", "/favicon.ico"])
def test_an_unknown_page_is_a_sentence(server, path):
    answer = get(server, path)

    assert answer.status_code == 404
    assert "There is no such message." in answer.text


def test_the_inbox_is_no_call_to_the_provider(server):
    page(server)

    assert server.resend.calls == []
    assert requests.post(f"{server.url}/inbox", timeout=5).status_code == 405


@pytest.mark.parametrize(
    ("local_part", "expected"),
    [
        ("ana", [200, 200]),
        ("refused.ben", [422, 422]),
        ("broken.cleo", [500, 500]),
        ("flaky.dan", [500, 200]),
        ("busy.eve", [429, 200]),
    ],
)
def test_the_demo_decides_by_address(server, local_part, expected):
    behave_by_address(server.resend)

    assert statuses(server, 2, payload=mail_to(f"{local_part}@families.example")) == expected


def test_the_demo_refuses_one_of_a_batch_in_plain_words(server):
    behave_by_address(server.resend)
    batch = [mail_to("ana@families.example"), mail_to("refused@families.example")]

    answer = post(server, batch, path="/emails/batch", mode="permissive").json()

    assert answer["errors"][0]["index"] == 1
    assert "refused@families.example does not exist" in answer["errors"][0]["message"]


def test_the_demo_answers_slow_addresses_late(server):
    behave_by_address(server.resend)

    with pytest.raises(requests.Timeout):
        post(server, mail_to("slow@families.example"), timeout=0.3)


def test_the_program_says_where_it_listens_and_stops_when_told(tmp_path):
    port_file = tmp_path / "port"
    with program("--port-file", str(port_file)) as process:
        line = process.stdout.readline()

        process.send_signal(signal.SIGTERM)

        assert line == f"listening on http://127.0.0.1:{port_file.read_text().strip()}\n"
        assert process.wait(timeout=5) == 0
        assert process.stderr.read() == ""


def test_the_program_says_that_its_port_is_taken(server):
    with program("--port", str(server.port)) as process:
        assert process.wait(timeout=10) == 2
        assert f"Port {server.port} cannot be used" in process.stderr.read()


def program(*arguments):
    return subprocess.Popen(
        [sys.executable, "-m", "tests.providers", *arguments],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_keeps_what_was_accepted_over_a_restart(tmp_path):
    for subject in ("Older", "Newer"):
        with ProviderServer() as server:
            keep_all(server, tmp_path)
            post(server, mail_to("ana@families.example", subject=subject))

    with ProviderServer() as server:
        keep_all(server, tmp_path)
        text = page(server)

    assert "2 messages accepted" in text
    assert 0 < text.index("Newer") < text.index("Older")
