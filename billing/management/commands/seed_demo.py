from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from billing.seeding import seed_demo
from bookings.services import Refused
from invites.services import Refused as RefusedInvites


class Command(BaseCommand):
    help = "Fill an empty database with an invented club, for a first look."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEBUG:
            raise CommandError("DEBUG is off, so this is no place for invented people.")
        try:
            made = seed_demo(timezone.now())
        except (Refused, RefusedInvites) as error:
            raise CommandError(str(error)) from error
        news = ", ".join(f"{count} {what}" for what, count in made.items() if count)
        self.stdout.write(f"Invented: {news}." if news else "The invented club is here.")
