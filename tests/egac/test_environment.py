"""The environment is read strictly: what cannot be parsed refuses to start with a sentence."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from egac import environment
from egac.environment import (
    above_zero,
    currency,
    job_tokens,
    networks,
    number_of,
    one_of,
    paragraph,
    percent,
    switch,
    text,
    time_zone,
    web_address,
    whole,
    words,
)

ROOT = Path(__file__).resolve().parents[2]
COMPLETE = {"SECRET_KEY": "x" * 50, "DATABASE_URL": "postgres://nobody@/nowhere?host=/none"}


@pytest.mark.parametrize("word", ["1", "true", "YES", " on ", "True"])
def test_a_switch_that_is_on(monkeypatch: pytest.MonkeyPatch, word: str) -> None:
    monkeypatch.setenv("IT", word)

    assert switch("IT") is True


@pytest.mark.parametrize("word", ["0", "false", "No", " off "])
def test_a_switch_that_is_off(monkeypatch: pytest.MonkeyPatch, word: str) -> None:
    monkeypatch.setenv("IT", word)

    assert switch("IT", default=True) is False


@pytest.mark.parametrize("word", ["maybe", "2", "yess", "None", "tru e"])
def test_a_switch_of_another_word_refuses(monkeypatch: pytest.MonkeyPatch, word: str) -> None:
    monkeypatch.setenv("IT", word)

    with pytest.raises(ImproperlyConfigured, match=r"IT is .*\. Write IT=1 for on or IT=0"):
        switch("IT")


def test_a_text_of_several_lines_breaks_at_each_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IT", " Bank transfer to EGAC | Sort code 00-00-00|account 00000000 ")

    assert paragraph("IT") == "Bank transfer to EGAC\nSort code 00-00-00\naccount 00000000"


@pytest.mark.parametrize("value", [None, "", "   "])
@pytest.mark.parametrize(
    ("read", "default"),
    [
        (lambda: switch("IT", default=True), True),
        (lambda: text("IT", "x"), "x"),
        (lambda: whole("IT", 3), 3),
        (lambda: above_zero("IT", 2.5), 2.5),
        (lambda: number_of("IT", 2.5), 2.5),
        (lambda: words("IT", "a,b"), ["a", "b"]),
        (lambda: one_of("IT", ("on", "off")), "on"),
    ],
)
def test_an_empty_value_is_the_default(
    monkeypatch: pytest.MonkeyPatch, read: Callable[[], Any], default: Any, value: str | None
) -> None:
    monkeypatch.delenv("IT", raising=False)
    if value is not None:
        monkeypatch.setenv("IT", value)

    assert read() == default


@pytest.mark.parametrize(
    ("read", "value", "result"),
    [
        (lambda: text("IT"), "  a b ", "a b"),
        (lambda: text("IT"), "$HOME", "$HOME"),
        (lambda: text("IT"), "pa$$word#1", "pa$$word#1"),
        (lambda: whole("IT", 3), "7", 7),
        (lambda: whole("IT", 3), "7.0", 7),
        (lambda: whole("IT", 3, at_least=0), "0", 0),
        (lambda: above_zero("IT", 2), "0.5", 0.5),
        (lambda: words("IT"), " a, b ,,c ", ["a", "b", "c"]),
        (lambda: one_of("IT", ("on", "off")), "OFF", "off"),
        (lambda: percent("IT", "0"), "17.5", Decimal("17.5")),
        (lambda: currency("IT", "GBP"), "chf", "CHF"),
        (lambda: web_address("IT", ""), "https://a.example/ops/", "https://a.example/ops"),
    ],
)
def test_reads_what_can_be_read(
    monkeypatch: pytest.MonkeyPatch, read: Callable[[], Any], value: str, result: Any
) -> None:
    monkeypatch.setenv("IT", value)

    assert read() == result


@pytest.mark.parametrize(
    ("read", "value"),
    [
        *((lambda: whole("IT", 3), value) for value in ("0", "-1", "2.5", "inf", "nan", "three")),
        *((lambda: above_zero("IT", 2), value) for value in ("0", "-1", "inf", "nan", "two")),
        *((lambda: percent("IT", "0"), value) for value in ("20.123", "-1", "101", "nan", "1e1")),
        *((lambda: currency("IT", "GBP"), value) for value in ("POUND", "G1P")),
        *(
            (lambda: web_address("IT", ""), value)
            for value in ("ops.example", "ftp://a", "https://")
        ),
        (lambda: time_zone("IT", "Europe/London"), "Mars/Base"),
        (lambda: number_of("IT", 2), "1,5"),
        (lambda: one_of("IT", ("on", "off")), "of"),
    ],
)
def test_refuses_what_cannot_be_read(
    monkeypatch: pytest.MonkeyPatch, read: Callable[[], Any], value: str
) -> None:
    monkeypatch.setenv("IT", value)

    with pytest.raises(ImproperlyConfigured, match=rf"IT is '{value}'.* Write "):
        read()


@pytest.mark.parametrize(
    ("value", "tokens"),
    [
        ("{}", {}),
        ('{"a": "one"}', {"a": ("one",)}),
        ('{"a": ["new", "old"], "b": ["one"]}', {"a": ("new", "old"), "b": ("one",)}),
    ],
)
def test_reads_one_token_or_two_a_job(
    monkeypatch: pytest.MonkeyPatch, value: str, tokens: dict[str, tuple[str, ...]]
) -> None:
    monkeypatch.setenv("IT", value)

    assert job_tokens("IT") == tokens


@pytest.mark.parametrize(
    "value",
    ["hunter2", '["hunter2"]', '{"a": "hunter2 "}', '{"a": "hünter2"}', '{"a": ""}', '{"a": []}',
     '{"a": ["hunter2", "b", "c"]}', '{"a": ["hunter2", ""]}', '{"a": 7}', '{"a": null}'],
)  # fmt: skip
def test_refuses_other_tokens_without_repeating_them(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("IT", value)

    with pytest.raises(ImproperlyConfigured, match="Write for example IT=") as refused:
        job_tokens("IT")

    assert "hunter2" not in str(refused.value)


def test_reads_addresses_and_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IT", "127.0.0.1, 10.0.0.0/8,2001:db8::/32")

    assert networks("IT") == [
        ip_network("127.0.0.1/32"),
        ip_network("10.0.0.0/8"),
        ip_network("2001:db8::/32"),
    ]


@pytest.mark.parametrize("value", ["proxy.example", "10.0.0.1/8", "*", "300.0.0.1"])
def test_refuses_what_is_no_network(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("IT", value)

    with pytest.raises(ImproperlyConfigured, match=r"IT: .* Write for example IT=127.0.0.1"):
        networks("IT")


def test_the_environment_wins_over_the_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("IN_BOTH=file\nIN_FILE='pa$$ #word'\n")
    monkeypatch.setattr(environment, "BASE_DIR", tmp_path)
    monkeypatch.setenv("IN_BOTH", "environment")
    monkeypatch.setenv("IN_FILE", "")
    monkeypatch.delenv("IN_FILE")

    environment.read_env_file()

    assert (text("IN_BOTH"), text("IN_FILE")) == ("environment", "pa$$ #word")


def test_no_file_is_no_fault(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(environment, "BASE_DIR", tmp_path)

    environment.read_env_file()


@pytest.mark.parametrize(
    ("given", "words_"),
    [
        ({"SECRET_KEY": ""}, "SECRET_KEY is not set. Write SECRET_KEY="),
        ({"DATABASE_URL": ""}, "DATABASE_URL is not set. Write DATABASE_URL="),
        ({"DATABASE_URL": "nonsense"}, "DATABASE_URL names no PostgreSQL."),
        ({"DATABASE_URL": "sqlite:///db.sqlite3"}, "DATABASE_URL names no PostgreSQL."),
        ({"RESEND_DRY_RUN": "maybe"}, "RESEND_DRY_RUN is 'maybe'. Write RESEND_DRY_RUN=1"),
        ({"MAX_INVITE_RETRIES": "inf"}, "MAX_INVITE_RETRIES is 'inf'. Write a whole number"),
        ({"RESEND_RATE_LIMIT": "0"}, "RESEND_RATE_LIMIT is '0'. Write a number above 0"),
        ({"BUSINESS_TIME_ZONE": "Mars"}, "BUSINESS_TIME_ZONE is 'Mars', which is no time zone"),
        ({"LOCK_AFTER_DAYS": "8"}, "LOCK_AFTER_DAYS is 8 and GRACE_AFTER_DAYS 8, so nobody"),
        ({"TRUSTED_PROXIES": "proxy"}, "TRUSTED_PROXIES: 'proxy' does not appear to be"),
        ({"JOB_TOKENS": '{"a": 7}'}, "JOB_TOKENS of 'a' is neither a token nor a list of two."),
        ({"SENDING": "maybe"}, "SENDING is 'maybe'. Write one of: on, off."),
        ({"LOG_FORMAT": "xml"}, "LOG_FORMAT is 'xml'. Write one of: text, json."),
        ({"SECURE_HSTS_SECONDS": "nan"}, "SECURE_HSTS_SECONDS is 'nan'. Write a whole number"),
    ],
)
def test_the_settings_refuse_to_start_with_a_sentence(given: dict[str, str], words_: str) -> None:
    # A developer's .env beside manage.py never overrides what the environment names.
    environ = {**os.environ, **COMPLETE, "DEBUG": "0", **given}

    ended = subprocess.run(
        [sys.executable, "-c", "import egac.settings"],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 1
    assert f"ImproperlyConfigured: {words_}" in ended.stderr


def test_the_example_names_every_setting_that_is_read() -> None:
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    named = set(re.findall(r"^#?([A-Z_]+)=", example, re.MULTILINE))
    source = (ROOT / "egac" / "settings.py").read_text(encoding="utf-8")
    read = set(re.findall(r'(?<=\w)(?<!\.get)\(\s*"([A-Z_]+)"', source))

    assert named == read - {"STANDIN_INBOX_URL"}
