"""Times and days that PostgreSQL holds and Python cannot read, as other programs may write them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models.functions import Now

from egac.instants import DayField, InstantField
from egac.orphans import settle_orphans
from egac.providers.resend import EMAIL
from egac.staff import instant_of
from invites.models import Enquiry, Invite
from invites.services import cancel_invites
from notifications.models import Notification
from notifications.passes import run_pass
from notifications.staff import cancel_messages
from tests.invites.factories import InviteFactory
from tests.notifications.factories import email, queue, whatsapp
from tests.providers.server import ProviderServer
from tests.staff import login

pytestmark = pytest.mark.django_db

EARLY = ["-infinity", "0044-03-15 BC"]
LATE = ["infinity", "294000-01-01", "10000-01-01"]
each_time = pytest.mark.parametrize("time", ["-infinity", "infinity", "10000-01-01"])
LEASE = timedelta(seconds=30)


def spoil(row: Any, time: str, *, but: tuple[str, ...] = ()) -> Any:
    """Write the time into every column of the row that holds one."""
    fields = [field for field in row._meta.fields if isinstance(field, InstantField | DayField)]
    changes = ", ".join(f"{field.column} = %(time)s" for field in fields if field.name not in but)
    with connection.cursor() as cursor:
        sql = f"UPDATE {row._meta.db_table} SET {changes} WHERE id = %(id)s"
        cursor.execute(sql, {"time": time, "id": row.pk})
    return row


def version_of(row: Any) -> str:
    """Return what a page keeps of the row, to see whether it changed since."""
    return type(row).objects.get(pk=row.pk).updated_at.isoformat()


@pytest.mark.parametrize(
    ("time", "read"),
    [
        *((time, datetime(1970, 1, 1, tzinfo=UTC)) for time in EARLY),
        *((time, datetime(9999, 12, 30, tzinfo=UTC)) for time in LATE),
        ("1815-12-10 12:00+00", datetime(1815, 12, 10, 12, tzinfo=UTC)),
        (None, None),
    ],
)
def test_is_read_as_the_nearest_that_python_knows(time: str | None, read: datetime | None) -> None:
    row = queue(email())
    with connection.cursor() as cursor:
        cursor.execute("UPDATE notifications_queue SET scheduled_for = %s", [time])

    assert Notification.objects.get(pk=row.pk).due_at == read
    assert Notification.objects.values_list("due_at", flat=True).get() == read


def test_the_column_keeps_what_was_written() -> None:
    row = spoil(queue(email()), "infinity")

    Notification.objects.filter(pk=row.pk).cancel()

    with connection.cursor() as cursor:
        cursor.execute("SELECT scheduled_for::text FROM notifications_queue")
        assert cursor.fetchall() == [("infinity",)]


@each_time
def test_no_page_breaks(time: str) -> None:
    browser = login("Viewers")
    invite: Invite = InviteFactory()
    rows = [queue(email()), queue(whatsapp()), invite, invite.enquiry]
    for row in rows:
        spoil(row, time)

    for row in rows:
        pages = f"/admin/{row._meta.app_label}/{row._meta.model_name}/"
        for page in (pages, f"{pages}{row.pk}/change/"):
            assert browser.get(page).status_code == 200, page


@each_time
def test_a_staff_action_changes_it(time: str) -> None:
    row = spoil(queue(email()), time)
    invite = spoil(InviteFactory(), time, but=("accepted_at",))

    changed = [
        verb([each.pk], seen={each.pk: instant_of(version_of(each))})
        for verb, each in ((cancel_messages, row), (cancel_invites, invite))
    ]

    assert [each.changed for each in changed] == [1, 1]


@each_time
def test_its_orphan_is_settled(time: str) -> None:
    row = queue(email())
    assert Notification.objects.claim(1, owner="dead", lease=LEASE)
    Notification.objects.update(lease_ends_at=Now() - LEASE)
    spoil(row, time, but=("lease_ends_at", "call_started_at", "in_doubt_since"))

    settled = settle_orphans(Notification.objects.all(), EMAIL, lease=LEASE)

    assert settled == 1
    assert Notification.objects.get().status == Notification.Status.PENDING


@pytest.mark.django_db(transaction=True)
def test_it_stops_no_row_behind_it(provider: ProviderServer) -> None:
    spoil(queue(email()), "-infinity", but=("expires_at", "in_doubt_since"))
    never = spoil(queue(email()), "infinity")
    good = queue(email())

    run_pass(limit=10, seconds=30)

    assert Notification.objects.get(pk=good.pk).status == Notification.Status.COMPLETED
    assert Notification.objects.get(pk=never.pk).status == Notification.Status.PENDING
    assert len(provider.resend.accepted) == 2


def test_a_day_of_birth_breaks_no_enquiry() -> None:
    enquiry = InviteFactory().enquiry

    spoil(enquiry, "infinity")

    assert Enquiry.objects.get().dob
