"""An instant that several look at, and what one of them has asked about it already."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar, TypeVarTuple

Asked = TypeVarTuple("Asked")
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Moment:
    """One instant. It lives as long as one look: what it was told may be old by the next."""

    now: datetime
    answers: dict[Any, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def once(self, question: Callable[[*Asked], Answer], *asked: *Asked) -> Answer:
        """Return the answer to a question, which goes to the database the first time only.

        All who ask share the answer, so nobody may change it.
        """
        key = (question, asked)
        if key not in self.answers:
            self.answers[key] = question(*asked)
        answer: Answer = self.answers[key]
        return answer
