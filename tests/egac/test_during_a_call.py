"""What a drain does for other rows while a call is in flight."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db.models import Max
from django.db.models.functions import Now
from pytest_django.fixtures import Settings

from egac import drain
from egac.drain import Drain
from egac.providers.resend import EMAIL
from invites.models import Invite
from tests.egac.threads import side_by_side
from tests.invites.factories import InviteFactory, make_invites
from tests.providers.client import eventually
from tests.providers.gate import Gate
from tests.providers.server import ProviderServer

pytestmark = pytest.mark.django_db(transaction=True)

Status = Invite.Status


def during_a_call(
    provider: ProviderServer, work: Callable[[], None], *, concurrency: int = 2
) -> None:
    """Drain, and work while the provider has accepted the first call and not yet answered it."""
    gate = provider.resend.gate = Gate.after_accepting()

    def meanwhile() -> None:
        try:
            gate.wait_for_arrival()
            work()
        finally:
            gate.let_go()

    works = [lambda: Drain(Invite.objects.all(), EMAIL, concurrency=concurrency).run(), meanwhile]
    side_by_side(2, lambda number: works[number]())


def test_prolongs_its_leases(provider: ProviderServer, settings: Settings) -> None:
    settings.WORKER_LEASE_SECONDS = 0.3
    make_invites(3)

    def look() -> None:
        first = Invite.objects.aggregate(last=Max("lease_ends_at"))["last"]
        assert eventually(lambda: Invite.objects.filter(lease_ends_at__gt=first).count() == 3)
        assert not Invite.objects.orphans(timedelta(seconds=0.3)).exists()

    during_a_call(provider, look, concurrency=1)

    assert Invite.objects.filter(status=Status.SENT, attempts=1).count() == 3
    assert len(provider.resend.calls) == 3


def test_sends_what_comes_meanwhile(provider: ProviderServer) -> None:
    InviteFactory()

    def queue_another() -> None:
        InviteFactory()
        assert eventually(lambda: len(provider.resend.calls) == 2)

    during_a_call(provider, queue_another)

    assert Invite.objects.filter(status=Status.SENT).count() == 2


def test_settles_what_a_dead_sender_left_meanwhile(
    provider: ProviderServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drain, "SETTLE_SECONDS", 0.1)
    InviteFactory()

    def leave_an_orphan() -> None:
        died = {"status": Status.PROCESSING, "lease_ends_at": Now() - timedelta(seconds=1)}
        orphan = InviteFactory(**died)
        assert eventually(lambda: Invite.objects.filter(pk=orphan.pk, orphaned=True).exists())

    during_a_call(provider, leave_an_orphan)

    assert Invite.objects.filter(status=Status.SENT).count() == 2
