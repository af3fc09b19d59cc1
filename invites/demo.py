"""An invented club for a first look. Every address is reserved for documentation and tests."""

import random
from datetime import datetime, timedelta
from typing import Any

from egac.invented import invented_name
from invites.models import Enquiry, Invite

MARK = {"demo": True}  # in raw_payload: this row is invented

INTERESTS = ("Training", "Training", "Training", "Coaching", "Volunteering")
# What the stand-in does with an address that begins with such a word.
AWKWARD = ("refused", "refused", "broken", "broken", "flaky", "flaky", "busy", "slow")
ORDINARY = 40


def enquiries(now: datetime) -> list[Enquiry]:
    """Return sixty or so enquiries of the past weeks, the same ones each time."""
    chance = random.Random(20_261)
    people = [_person(chance, now, number) for number in range(ORDINARY)]
    people += [
        _person(chance, now, number, address=f"{word}.{number}@families.example")
        for number, word in enumerate(AWKWARD)
    ]
    people.append(_person(chance, now, 98, address="no-address-at-all"))
    people.append(_person(chance, now, 99, address=""))
    return people


def _person(
    chance: random.Random, now: datetime, number: int, address: str | None = None
) -> Enquiry:
    name = invented_name(chance)
    made_up = f"person.{number}@families.example" if address is None else address
    return Enquiry(
        name=name,
        email=made_up,
        phone=f"07700 900{chance.randrange(1000):03d}",
        interest=chance.choice(INTERESTS),
        source=chance.choice(("website", "friend", "school", "open day")),
        created_at=now - timedelta(hours=chance.randrange(1, 24 * 21)),
        raw_payload=MARK,
    )


def invites(people: list[Enquiry], now: datetime) -> list[Invite]:
    """Return one invite for each enquiry: some long sent or accepted, the rest due."""
    return [Invite(enquiry=person, **_history(n, person, now)) for n, person in enumerate(people)]


def _history(number: int, person: Enquiry, now: datetime) -> dict[str, Any]:
    asked_at = person.created_at
    answered_at = min(asked_at + timedelta(minutes=15), now)
    if number < 10:
        return {
            "created_at": asked_at,
            "status": Invite.Status.ACCEPTED,
            "attempts": 1,
            "sent_at": answered_at,
            "accepted_at": min(answered_at + timedelta(hours=7), now),
        }
    if number < 16:
        sent = {"status": Invite.Status.SENT, "attempts": 1, "sent_at": answered_at}
        return {"created_at": asked_at, **sent}
    if number == 16:  # of the older program: failed, and no reason given
        return {"created_at": asked_at, "status": Invite.Status.FAILED, "attempts": 1}
    if number == 17:
        return {"created_at": asked_at, "due_at": now + timedelta(days=1)}
    return {"created_at": asked_at}
