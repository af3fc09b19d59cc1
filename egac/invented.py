"""Names of invented people, for a first look at every app."""

import random

FIRST_NAMES = [
    "Amelia",
    "Noah",
    "Zoë",
    "Yusuf",
    "Isla",
    "Seán",
    "Priya",
    "Kwame",
    "Freya",
    "Tomás",
    "Mia",
    "Oliver",
    "Ngozi",
    "Leo",
    "Chloé",
    "Arthur",
    "Siân",
    "Dmitri",
    "Ava",
    "Rhys",
]
LAST_NAMES = [
    "Hart",
    "Okafor",
    "Lindqvist",
    "O'Connor",
    "Patel",
    "Walker",
    "García",
    "Müller",
    "Nowak",
    "Singh",
]


def invented_name(chance: random.Random) -> str:
    """Return a name; the same chance gives the same names."""
    return f"{chance.choice(FIRST_NAMES)} {chance.choice(LAST_NAMES)}"
