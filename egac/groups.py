"""Who may do what: three groups, made after every `migrate`.

Viewers look at everything but addresses and bodies, which they may reveal a page at a time.
Operators see those and act on messages, Managers act on whole channels too. A permission that
staff gave to a group besides these stays.
"""

from typing import Any

from django.apps import AppConfig
from django.apps import apps as installed_apps
from django.contrib.auth.management import create_permissions

OUR_APPS = ("egac", "jobs", "invites", "notifications", "bookings", "billing")

# Permissions that are no model's own: of which model, under which name, in which words.
EXTRA = {
    ("egac", "channel"): {"pause_channel": "Can pause and resume channels"},
    ("egac", "person"): {
        "see_addresses": "Can see addresses, phone numbers and what messages say",
        "reveal_addresses": "Can reveal them on the page of one row, for a reason that is kept",
    },
    ("egac", "loggedaction"): {"list_loggedaction": "Can read what all of the staff did"},
    ("invites", "enquiry"): {
        "import_enquiry": "Can import enquiries",
        "export_enquiry": "Can export enquiries",
    },
    ("bookings", "customer"): {"export_customer": "Can export customers"},
    ("bookings", "booking"): {
        "confirm_booking": "Can confirm bookings",
        "cancel_booking": "Can cancel bookings",
        "export_booking": "Can export bookings",
    },
    ("bookings", "classsession"): {
        "complete_classsession": "Can note that a class took place",
        "cancel_classsession": "Can cancel classes and tell everyone booked",
        "export_classsession": "Can export classes",
    },
    ("bookings", "enrolment"): {"mark_enrolment": "Can mark attendance"},
    ("billing", "invoice"): {
        "record_payment": "Can record payments",
        "cancel_invoice": "Can cancel invoices",
        "export_invoice": "Can export invoices",
    },
    ("billing", "payment"): {"export_payment": "Can export payments"},
}
VIEWERS = {"egac.reveal_addresses"}
OPERATORS = VIEWERS | {
    "egac.see_addresses",
    "invites.add_enquiry",
    "invites.change_enquiry",
    "invites.import_enquiry",
    "invites.export_enquiry",
    "invites.add_invite",
    "invites.retry_invite",
    "invites.cancel_invite",
    "invites.send_invite",
    "invites.send_again_invite",
    "notifications.retry_notification",
    "notifications.cancel_notification",
    "notifications.reschedule_notification",
    "bookings.add_customer",
    "bookings.change_customer",
    "bookings.export_customer",
    "bookings.add_booking",
    "bookings.change_booking",
    "bookings.confirm_booking",
    "bookings.cancel_booking",
    "bookings.export_booking",
    "bookings.add_classsession",
    "bookings.change_classsession",
    "bookings.complete_classsession",
    "bookings.cancel_classsession",
    "bookings.export_classsession",
    "bookings.add_enrolment",
    "bookings.delete_enrolment",
    "bookings.mark_enrolment",
    "billing.add_invoice",
    "billing.record_payment",
    "billing.export_invoice",
    "billing.export_payment",
    "jobs.run_job",
}
MANAGERS = OPERATORS | {
    "billing.cancel_invoice",
    "bookings.add_classpackage",
    "bookings.change_classpackage",
    "bookings.add_instructor",
    "bookings.change_instructor",
    "egac.list_loggedaction",
    "egac.pause_channel",
    "egac.add_suppression",
    "egac.delete_suppression",
    "jobs.pause_job",
}
GROUPS: dict[str, set[str]] = {
    "Viewers": VIEWERS,
    "Operators": OPERATORS,
    "Managers": MANAGERS,
}


def make_groups(app_config: AppConfig, **kwargs: Any) -> None:
    """Give the groups their permissions of one app; called by `post_migrate` for each."""
    apps = kwargs.get("apps", installed_apps)
    if app_config.label not in OUR_APPS:
        return
    try:
        permissions = apps.get_model("auth", "Permission").objects.using(kwargs["using"])
        groups = apps.get_model("auth", "Group").objects.using(kwargs["using"])
    except LookupError:
        return  # `migrate invites` on an empty database: the tables of auth are not there yet
    create_permissions(app_config, **kwargs)
    make_extra_permissions(app_config.label, permissions, apps)
    ours = list(permissions.filter(content_type__app_label=app_config.label))
    for name, granted in GROUPS.items():
        group, _ = groups.get_or_create(name=name)
        group.permissions.add(
            *(each for each in ours if may(granted, app_config.label, each.codename))
        )


def may(granted: set[str], label: str, codename: str) -> bool:
    """Return whether a group with these permissions has that one: all may view."""
    return codename.startswith("view_") or f"{label}.{codename}" in granted


def make_extra_permissions(label: str, permissions: Any, apps: Any) -> None:
    """Make the permissions of an app that its models do not name."""
    content_types = apps.get_model("contenttypes", "ContentType").objects.using(permissions.db)
    for (app, model), named in EXTRA.items():
        if app != label:
            continue
        of_model, _ = content_types.get_or_create(app_label=app, model=model)
        for codename, words in named.items():
            permissions.get_or_create(
                content_type=of_model, codename=codename, defaults={"name": words}
            )
