"""Accepted messages kept in a file, so that a restart of the demo still shows them."""

import json
from datetime import datetime
from pathlib import Path

from tests.providers.ledger import Accepted, Ledger


def keep(ledger: Ledger, path: Path) -> None:
    """Fill the ledger with what the file holds, and add to the file what it takes from now on."""
    if path.exists():
        ledger.take([_read(line) for line in path.read_text(encoding="utf-8").splitlines()])

    def append(messages: list[Accepted]) -> None:
        with path.open("a", encoding="utf-8") as file:
            file.writelines(f"{_written(message)}\n" for message in messages)

    ledger.on_accepted = append


def _written(message: Accepted) -> str:
    told = {"id": message.id, "key": message.key, "payload": message.payload}
    return json.dumps({**told, "wall": message.wall.isoformat()})


def _read(line: str) -> Accepted:
    told = json.loads(line)
    wall = datetime.fromisoformat(told["wall"])
    return Accepted(id=told["id"], key=told["key"], payload=told["payload"], wall=wall)
