"""What crosses the wire: a request, an answer, and the ways in which its delivery can break."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any


class Wire(Enum):
    """How the bytes of an answer reach the client."""

    WHOLE = "whole"
    CLOSE = "close"  # the connection ends without a byte
    RESET = "reset"  # TCP RST instead of an answer
    HALF = "half"  # full Content-Length, half of the body, then the end
    DRIP = "drip"  # one byte of the body at a time


@dataclass(frozen=True)
class Request:
    """One HTTP request; the names of its headers are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    client_left: Callable[[], bool] = lambda: False
    query: str = ""

    @property
    def key(self) -> str | None:
        """The idempotency key; None where the provider or the client uses none."""
        return self.headers.get("idempotency-key")


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes = b""
    content_type: str = "application/json; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)
    name: str = ""  # the provider's word for the error, for the ledger


@dataclass(frozen=True)
class Delivery:
    """An answer and how it is to be written; `pace` is in seconds a byte."""

    answer: Answer
    wire: Wire = Wire.WHOLE
    pace: float = 0.0

    @property
    def has_status(self) -> bool:
        """Say whether the client gets to see a status at all."""
        return self.wire not in (Wire.CLOSE, Wire.RESET)


def json_answer(
    status: int, value: Any, *, headers: Mapping[str, str] | None = None, name: str = ""
) -> Answer:
    return Answer(status, json.dumps(value).encode(), headers=headers or {}, name=name)
