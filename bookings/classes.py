"""The classes that take place, who gives them, and who is expected in them."""

from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.timezone import localtime

from egac.search import Words

WORDS_OF_A_CLASS = Words("title")


class Instructor(models.Model):
    """Who gives classes."""

    name = models.TextField()
    email = models.TextField(blank=True, db_default="")
    zoom_user = models.TextField("Zoom user", blank=True, db_default="")  # an id or an address

    class Meta:
        db_table = "instructors"
        ordering = ["name", "pk"]

    def __str__(self) -> str:
        return self.name


class ClassSession(models.Model):
    """One class at one time. Without an end it cannot be billed or held online: it is reported."""

    class Status(models.TextChoices):
        SCHEDULED = "scheduled", "scheduled"
        COMPLETED = "completed", "took place"
        CANCELLED = "cancelled", "cancelled"

    title = models.TextField()
    package = models.ForeignKey(
        "ClassPackage", models.SET_NULL, null=True, blank=True, related_name="sessions"
    )
    instructor = models.ForeignKey(
        Instructor, models.SET_NULL, null=True, blank=True, related_name="sessions"
    )
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True)
    status = models.TextField(choices=Status, db_default=Status.SCHEDULED)
    is_online = models.BooleanField(db_default=False)
    # Who said that it took place or is cancelled, when, and why.
    closed_by = models.TextField(blank=True, db_default="", editable=False)
    closed_at = models.DateTimeField(null=True, blank=True, editable=False)
    closed_because = models.TextField(blank=True, db_default="", editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)
    # Its Zoom meeting
    meeting_id = models.BigIntegerField(null=True, blank=True)
    join_link = models.TextField(blank=True, db_default="")
    host_link = models.TextField(blank=True, db_default="")  # a secret, and it expires
    # A create may have arrived: look the meeting up before another call.
    meeting_asked_at = models.DateTimeField(null=True, blank=True)
    meeting_asked_host = models.TextField(blank=True, db_default="")  # a Zoom user
    meeting_due_at = models.DateTimeField(null=True, blank=True)  # null: now
    meeting_error = models.TextField(blank=True, db_default="")

    class Meta:
        db_table = "class_sessions"
        ordering = ["starts_at", "pk"]
        indexes = [
            models.Index(fields=["starts_at", "id"], name="class_sessions_by_time"),
            GinIndex(WORDS_OF_A_CLASS, name="class_sessions_by_words"),
            models.Index(
                fields=["starts_at"],
                name="class_sessions_without_meeting",
                condition=Q(status="scheduled", is_online=True, meeting_id__isnull=True),
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["scheduled", "completed", "cancelled"]),
                name="a_session_has_a_known_status",
            ),
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")), name="a_session_ends_after_it_starts"
            ),
            models.UniqueConstraint(fields=["meeting_id"], name="a_meeting_belongs_to_one_session"),
        ]

    def __str__(self) -> str:
        return f"{self.title}, {localtime(self.starts_at):%-d %B %Y at %H:%M %Z}"


class Enrolment(models.Model):
    """A booking's place in a class session."""

    class Attendance(models.TextChoices):
        EXPECTED = "expected", "expected"
        ATTENDED = "attended", "attended"
        MISSED = "missed", "missed"

    booking = models.ForeignKey("Booking", models.PROTECT, related_name="enrolments")
    session = models.ForeignKey(ClassSession, models.PROTECT, related_name="enrolments")
    attendance = models.TextField(choices=Attendance, db_default=Attendance.EXPECTED)
    changed_by = models.TextField(blank=True, db_default="", editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        db_table = "enrolments"
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["session", "booking"], name="a_booking_has_one_place_in_a_session"
            ),
            models.CheckConstraint(
                condition=Q(attendance__in=["expected", "attended", "missed"]),
                name="an_enrolment_has_a_known_attendance",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.booking.customer} in {self.session}"
