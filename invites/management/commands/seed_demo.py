from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from invites.services import Refused, seed_demo


class Command(BaseCommand):
    help = "Fill an empty database with an invented club, for a first look."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEBUG:
            raise CommandError("DEBUG is off, so this is no place for invented people.")
        try:
            made = seed_demo(timezone.now())
        except Refused as error:
            raise CommandError(str(error)) from error
        told = f"{made} invented enquiries are new." if made else "The invented club is here."
        self.stdout.write(told)
