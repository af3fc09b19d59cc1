"""Who somebody is, over all apps: found by a name, an address, a number or an id, and joined.

An app that keeps people registers where they stand, and what it knows of them. Rows that share an
address or a number are one person here: a family that shares them is shown together.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from egac.console.pages import Event
from egac.numbers import in_e164

MOST_FOUND = 20  # rows of one app that a search or a join looks at
MOST_NAMED = 200  # of one app, where only how they are reached is asked for
SHORTEST_NAME = 2


@dataclass(frozen=True)
class Asked:
    """What was typed into the search: whichever of these it can be read as."""

    words: tuple[str, ...] = ()  # the beginnings of words of a name
    address: str = ""  # in lower case
    number: str = ""  # in E.164
    key: str = ""  # of a row


@dataclass(frozen=True)
class Entry:
    """One row of an app that names somebody."""

    kind: str  # `customer`
    key: str
    name: str
    email: str
    phone: str
    since: datetime
    page: str  # the row's own page, from the root of this site

    @property
    def id(self) -> str:
        """What names the person of this row in an address."""
        return f"{self.kind}-{self.key}"

    @property
    def addresses(self) -> frozenset[str]:
        return frozenset({self.email.strip().lower()} - {""})

    @property
    def numbers(self) -> frozenset[str]:
        return frozenset({in_e164(self.phone)} - {""})


class Kind(Protocol):
    """Where an app keeps people. Each answers with one query, of at most so many rows."""

    @property
    def permission(self) -> str: ...

    def search(self, asked: Asked, *, most: int = MOST_FOUND) -> list[Entry]: ...

    def reached_at(self, addresses: Iterable[str], numbers: Iterable[str]) -> list[Entry]: ...

    def named(self, key: str) -> Entry | None: ...


@dataclass(frozen=True)
class Identity:
    """Somebody: every row that names them, and how they are reached."""

    entries: tuple[Entry, ...]
    addresses: frozenset[str] = field(default_factory=frozenset)
    numbers: frozenset[str] = field(default_factory=frozenset)

    @classmethod
    def of(cls, entries: Sequence[Entry]) -> "Identity":
        return cls(
            tuple(entries),
            frozenset().union(*(entry.addresses for entry in entries)),
            frozenset().union(*(entry.numbers for entry in entries)),
        )

    @property
    def name(self) -> str:
        """The names that they go by, the newest first."""
        names = dict.fromkeys(entry.name.strip() for entry in self.entries)
        return ", ".join(name for name in names if name) or "No name"

    def keys(self, kind: str) -> list[Any]:
        """Return the keys of the rows of one kind, as texts."""
        return [entry.key for entry in self.entries if entry.kind == kind]


@dataclass(frozen=True)
class Told:
    """What one app knows of somebody, the latest; and how many older things it left out."""

    events: Sequence[Event]
    left_out: int = 0


@dataclass(frozen=True)
class Part:
    """A part of everybody's timeline, for who has the permission."""

    things: str  # "messages"
    permission: str
    tell: Callable[[Identity, datetime], Told]  # as it stands at an instant


KINDS: dict[str, Kind] = {}
PARTS: list[Part] = []
May = Callable[[str], bool]


def register_people(name: str, kind: Kind) -> None:
    """Let an app answer for the people in one of its tables."""
    KINDS[name] = kind


def register_part(part: Part) -> None:
    """Let an app tell what it knows of somebody."""
    PARTS.append(part)


def asked_in(text: str) -> Asked:
    """Return what a search is for. Letters are a name, digits a number or an id."""
    typed = " ".join(text.split())
    if "@" in typed:
        return Asked(address=typed.lower())
    key = typed if re.fullmatch(r"[0-9a-fA-F-]{36}|\d{1,10}", typed) else ""
    number = in_e164(typed) if sum(letter.isdecimal() for letter in typed) > 6 else ""
    if key or number:
        return Asked(key=key, number=number)
    words = tuple(re.findall(r"\w+", typed.lower()))
    return Asked(words=words if len("".join(words)) >= SHORTEST_NAME else ())


def search(asked: Asked, *, may: May) -> tuple[list[Identity], bool]:
    """Return who is meant, and whether there are more than are shown."""
    found = [kind.search(asked) for kind in KINDS.values() if may(kind.permission)]
    has_more = any(len(entries) >= MOST_FOUND for entries in found)
    return joined([entry for entries in found for entry in entries]), has_more


def reached_by_name(text: str, *, may: May) -> tuple[set[str], bool]:
    """Return the addresses and numbers of people of a name so begun, and whether there are more."""
    asked = Asked(words=asked_in(text).words)
    if not asked.words:
        return set(), False
    kinds = [kind for kind in KINDS.values() if may(kind.permission)]
    found = [kind.search(asked, most=MOST_NAMED) for kind in kinds]
    entries = [entry for each in found for entry in each]
    reached: set[str] = set()
    for entry in entries:
        reached |= entry.addresses | entry.numbers | {entry.phone.strip()} - {""}
    return reached, any(len(each) >= MOST_NAMED for each in found)


def joined(entries: Iterable[Entry]) -> list[Identity]:
    """Return the people of these rows: rows that share an address or a number are one."""
    people: list[Identity] = []
    for entry in entries:
        reach = entry.addresses | entry.numbers
        same = [person for person in people if reach & (person.addresses | person.numbers)]
        rows = [row for person in same for row in person.entries]
        people = [person for person in people if person not in same]
        people.append(Identity.of(_newest_first([*rows, entry])))
    return sorted(people, key=lambda person: person.name.lower())


def identity_of(id: str, *, may: May) -> Identity | None:
    """Return the person of a row with all rows that share an address or number; None for nobody."""
    kind, _, key = id.partition("-")
    if kind not in KINDS or not may(KINDS[kind].permission):
        return None
    entry = KINDS[kind].named(key)
    if entry is None:
        return None
    others = [
        row
        for each in KINDS.values()
        if may(each.permission)
        for row in each.reached_at(entry.addresses, entry.numbers)
    ]
    return Identity.of(_newest_first({row.id: row for row in [entry, *others]}.values()))


def timeline_of(person: Identity, *, may: May, now: datetime) -> tuple[list[Event], dict[str, int]]:
    """Return what everybody tells of a person, the latest first, and of what how many are left out.

    Each app leaves out its older ones by itself.
    """
    told = [(part.things, part.tell(person, now)) for part in PARTS if may(part.permission)]
    events = [event for _, each in told for event in each.events]
    left_out = {things: each.left_out for things, each in told if each.left_out}
    return sorted(events, key=lambda event: event.at, reverse=True), left_out


def _newest_first(entries: Iterable[Entry]) -> list[Entry]:
    return sorted(entries, key=lambda entry: entry.since, reverse=True)
