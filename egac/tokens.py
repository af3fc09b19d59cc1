"""Short-lived tokens, signed with SECRET_KEY: each opens one job until it expires. Pure.

Nothing of them is stored. A new SECRET_KEY ends all at once.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from django.core.signing import BadSignature, Signer

START = "egac_"  # by which the logs know them


@dataclass(frozen=True)
class Token:
    """What a token says: which job it opens, and until when."""

    job: str
    ends_at: datetime


def issue(token: Token) -> str:
    """Return the signed token, as its holder carries it."""
    told = {"job": token.job, "ends_at": int(token.ends_at.timestamp())}
    return START + _signer().sign_object(told)


def read(text: str) -> Token | None:
    """Return what a token of ours says, expired or not, or None for anything else."""
    if not text.startswith(START):
        return None
    try:
        told = _signer().unsign_object(text.removeprefix(START))
    except BadSignature:
        return None
    return Token(told["job"], datetime.fromtimestamp(told["ends_at"], UTC))


def _signer() -> Signer:
    # A dot, as a bearer token may hold no colon.
    return Signer(salt="egac.tokens", sep=".")
