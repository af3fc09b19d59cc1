"""A row of each table that has pages in the admin."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from django.utils import timezone

from bookings.models import Booking, Enrolment
from egac import channels
from egac.models import MessageAudit, SecretUse, Suppression
from invites.models import Invite
from jobs.models import Alert, JobRun
from notifications.models import Worker
from tests.billing.factories import InvoiceFactory
from tests.bookings.factories import EnrolmentFactory
from tests.invites.factories import InviteFactory
from tests.notifications.factories import email, queue

LONG_ADDRESS = "a.parent.with.a.long.name@a-school-with-a-long-name.example"
AN_INSTANT = "2026-03-03T10:00:00Z"


def one_of_each() -> dict[str, Any]:
    """Make a row of each table that has pages; return them by app and model."""
    invite = InviteFactory(enquiry__email=LONG_ADDRESS)
    place = EnrolmentFactory()
    return {
        **of_ground(invite),
        **of_jobs(),
        **of_bookings(place),
        **of_billing(place.booking),
        "invites_invite": invite,
        "invites_enquiry": invite.enquiry,
        "notifications_notification": queue(email()),
        "notifications_sample": SimpleNamespace(pk="booking_confirmation"),
        "notifications_worker": Worker.objects.create(name="host:1", kind=Worker.Kind.LOOP),
    }


def of_ground(invite: Invite) -> dict[str, Any]:
    line = MessageAudit.objects.create(
        source="invites",
        source_id=str(invite.pk),
        generation=1,
        attempt=1,
        counted=True,
        channel="email",
        recipient=invite.recipient,
        provider="resend",
        outcome=MessageAudit.Outcome.REFUSED,
        error_code="service_unavailable",
    )
    return {
        "egac_failure": SimpleNamespace(pk=f"invites-{'0' * 32}"),
        "egac_person": SimpleNamespace(pk=f"enquiry-{invite.enquiry_id}"),
        "egac_channel": channels.named("email"),
        "egac_messageaudit": line,
        "egac_secretuse": SecretUse.objects.create(name="CRON_SECRET"),
        "egac_suppression": Suppression.objects.create(address="a@b.example", reason="bounced"),
    }


def of_jobs() -> dict[str, Any]:
    run = JobRun.objects.create(
        job="retry_invites",
        exclusive=False,
        trigger=JobRun.Trigger.CRON,
        business_on="2026-03-03",
        lease_ends_at=AN_INSTANT,
        result={"processed": 12, "left": 0, "results": [1, 2], "note": ""},
    )
    alert = Alert.objects.create(
        cause="pool",
        sentence="The pool is cold.",
        page="/admin/",
        opened_at=AN_INSTANT,
        last_seen_at=AN_INSTANT,
    )
    return {
        "jobs_jobrun": run,
        "jobs_scheduledjob": SimpleNamespace(pk="retry_invites"),
        "jobs_alert": alert,
    }


def of_bookings(place: Enrolment) -> dict[str, Any]:
    return {
        "bookings_customer": place.booking.customer,
        "bookings_classpackage": place.booking.package,
        "bookings_booking": place.booking,
        "bookings_classsession": place.session,
        "bookings_enrolment": place,
        "bookings_instructor": place.session.instructor,
    }


def of_billing(booking: Booking) -> dict[str, Any]:
    invoice = InvoiceFactory(booking=booking)
    yesterday = timezone.localdate() - timedelta(days=1)
    for job in ("generate_t5_invoices", "run_escalation_orchestration"):
        JobRun.objects.create(
            job=job,
            exclusive=True,
            trigger=JobRun.Trigger.CRON,
            status=JobRun.Status.SUCCEEDED,
            business_on=yesterday,
            lease_ends_at=AN_INSTANT,
        )
    return {
        "billing_missedday": SimpleNamespace(pk=f"escalate_overdue_bookings@{yesterday}"),
        "billing_monthahead": SimpleNamespace(pk=timezone.localdate()),
        "billing_invoice": invoice,
        "billing_payment": invoice.payments.create(
            amount=1, currency="GBP", paid_on="2026-03-03", method="cash"
        ),
        "billing_billingproblem": booking.billing_problems.create(job="x", why="No price."),
    }
