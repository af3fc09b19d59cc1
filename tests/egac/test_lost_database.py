"""A drain whose database goes away under it: what it holds is kept and written afterwards."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError, connection

from egac.drain import Drain
from egac.providers.whatsapp import WHATSAPP
from notifications.models import Notification
from tests.notifications.factories import queue_whatsapps
from tests.providers.server import ProviderServer

pytestmark = pytest.mark.django_db

# A word of each statement during which the connection breaks.
STATEMENTS = {
    "claim": "chosen AS MATERIALIZED",
    "slot": "UPDATE channels",
    "start": "call_started_at = clock_timestamp()",
    "record": "provider_message_id = coalesce",
    "audit": "INSERT INTO message_audit",
}


def breaking(word: str, *, is_carried_out: bool) -> Callable[..., Any]:
    """Break off the first statement with this word, before or after the database heard of it."""
    left = [word]

    def run(execute: Any, sql: str, *arguments: Any) -> Any:
        breaks = bool(left) and word in sql
        if breaks and is_carried_out:
            execute(sql, *arguments)
        if breaks:
            left.clear()
            raise OperationalError("the connection broke")
        return execute(sql, *arguments)

    return run


@pytest.mark.parametrize("is_carried_out", [False, True], ids=["not_heard", "not_answered"])
@pytest.mark.parametrize("word", STATEMENTS.values(), ids=STATEMENTS.keys())
def test_no_answer_is_lost_and_no_call_that_never_began_is_an_attempt(
    provider: ProviderServer, word: str, is_carried_out: bool
) -> None:
    queue_whatsapps(6)
    drain = Drain(Notification.objects.for_whatsapp(), WHATSAPP, concurrency=2)
    broken = connection.execute_wrapper(breaking(word, is_carried_out=is_carried_out))
    with broken, pytest.raises(OperationalError):
        drain.run()

    drain.run()

    assert Notification.objects.filter(status="completed", attempts=1).count() == 6
    assert len(provider.whatsapp.accepted) == 6
