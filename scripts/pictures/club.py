"""The invented club of the pictures: the first look's, with a bad day behind it."""

import contextlib
import os
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models.functions import Now
from django.test import Client
from django.utils import timezone

from billing.services import Written, issue_invoice
from bookings.models import Booking
from egac import channels
from egac.events import Told, receive
from egac.figures import HourlyFigure
from egac.models import Channel, Suppression
from egac.providers import Cause, ProviderError
from invites.models import Invite
from jobs.services import Start, run_job
from scripts import first_look
from scripts.benchmarks.scratch import database_url
from tests.crawl import crawl

STAFF = {"Managers": "maya", "Viewers": "noor"}  # who is signed in on the pictures
ONE_DAY = timedelta(days=1)


@contextlib.contextmanager
def running_club() -> Iterator[str]:
    """Fill a scratch database, serve it, and yield the server's address; drop it at the end."""
    connection.creation.create_test_db(verbosity=0, serialize=False)
    try:
        first_look.fill()
        have_a_bad_day()
        os.environ["DATABASE_URL"] = database_url()
        server = first_look.start("manage.py", "runserver", "--noreload", "127.0.0.1:0")
        try:
            yield first_look.announced_address(server).rstrip("/")
        finally:
            first_look.end(server)
    finally:
        connection.creation.destroy_test_db(connection.settings_dict["NAME"], verbosity=0)


def have_a_bad_day() -> None:
    """Let a month go by, and what the staff guide tells of happen just now."""
    let_a_month_go_by()
    let_an_invite_bounce()
    let_an_invoice_reach_nobody()
    let_whatsapp_be_down()
    for job in ("generate_t5_invoices", "run_escalation_orchestration"):
        run_job(job, Start("cron", "cron", today() - ONE_DAY), lambda: {"left": 0})
    for command in ("check_invite_stats", "run_worker_queue"):
        with contextlib.suppress(CommandError, SystemExit):
            call_command(command)


def let_a_month_go_by() -> None:
    """Keep figures of a month: quiet nights, busy evenings, and now and then a failed try."""
    this_hour = timezone.now().replace(minute=0, second=0, microsecond=0)  # noqa: TID251  a script
    figures = []
    for hours in range(1, 24 * 30):
        hour = this_hour - timedelta(hours=hours)
        count = max(0, 7 - abs(18 - hour.hour)) * (3 + hour.day % 4)
        for channel, share in (("email", 1), ("whatsapp", 3)):
            tries = {"accepted": count // share, "refused": count // share // 14}
            figures += [
                HourlyFigure(hour=hour, channel=channel, outcome=outcome, slot=0, count=number)
                for outcome, number in tries.items()
                if number
            ]
    HourlyFigure.objects.bulk_create(figures)


def let_an_invite_bounce() -> None:
    """Let Resend tell that a mailbox does not exist."""
    bounced = Invite.objects.filter(status=Invite.Status.SENT).order_by("sent_at")[0]
    receive(
        Told(
            provider="resend",
            event_id="msg_of_the_pictures",
            provider_message_id="re_of_the_pictures",
            source="invites",
            source_id=str(bounced.pk),
            generation=None,
            kind="bounced",
            occurred_at=timezone.now(),  # noqa: TID251  the pictures show today
            recipient=bounced.recipient,
            code="Permanent",
            detail="The mailbox does not exist.",
        )
    )


def let_an_invoice_reach_nobody() -> None:
    """Issue one by hand to somebody whose address bounced before."""
    booking = Booking.objects.confirmed().exclude(customer__email="").order_by("pk")[0]
    Suppression.objects.create(address=booking.customer.email, reason="bounced")
    written = [Written("Club vest", Decimal("18.50"))]
    issue_invoice(booking, written=written, on=today(), due_on=today() + ONE_DAY * 14)


def let_whatsapp_be_down() -> None:
    """Open the breaker of WhatsApp for longer than the pictures take."""
    words = "WhatsApp answered 503 131016: The service is temporarily unavailable."
    error = ProviderError(words, cause=Cause.UNAVAILABLE)
    channels.note(channels.named("whatsapp").name, [error] * channels.BREAKER_AFTER)
    Channel.objects.filter(name="whatsapp").update(held_until=Now() + timedelta(minutes=12))


def today() -> date:
    return timezone.localdate()  # noqa: TID251  the pictures show today


def signed_in(name: str, group: str) -> Client:
    """Return the browser of a new member of a group."""
    user = get_user_model().objects.create_user(name, is_staff=True)
    user.groups.add(Group.objects.get(name=group))
    client = Client(SERVER_NAME="127.0.0.1")
    client.force_login(user)
    return client


def pages_of(client: Client) -> dict[str, str]:
    """Return the address of each kind of page by its name."""
    visits = crawl(client, examples=1)
    return {visit.name: path for path, visit in reversed(visits.items()) if visit.is_ours}
