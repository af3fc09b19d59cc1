import json
from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from egac.providers import NotConfigured
from invites.models import Invite
from invites.services import Refused, refuse_unless_sendable, send_one, what_would_go
from jobs.command import WRONG_USAGE


class Command(BaseCommand):
    help = "Show one invite as it would be sent; with --yes send exactly that one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--inviteId", "--invite-id", dest="invite_id", type=UUID, required=True, metavar="ID"
        )
        parser.add_argument("--yes", action="store_true", help="really send it")
        parser.add_argument("--again", action="store_true", help="although it was sent already")
        parser.add_argument("--json", action="store_true", help="print the result as one object")

    def handle(self, *args: Any, **options: Any) -> None:
        invite = Invite.objects.select_related("enquiry").filter(pk=options["invite_id"]).first()
        if invite is None:
            raise CommandError(f"No such invite: {options['invite_id']}.", returncode=WRONG_USAGE)
        try:
            if options["yes"]:
                self.send(invite, **options)
            else:
                refuse_unless_sendable(invite, again=options["again"])
                self.show(invite)
        except (Refused, NotConfigured) as error:
            raise CommandError(str(error), returncode=WRONG_USAGE) from error

    def show(self, invite: Invite) -> None:
        message = what_would_go(invite)
        self.stdout.write(f"To: {', '.join(message['to'])}\nSubject: {message['subject']}\n")
        self.stdout.write(message["text"])
        self.stdout.write("Nothing was sent. Add --yes to send it.")

    def send(self, invite: Invite, **options: Any) -> None:
        line = send_one(invite, again=options["again"])
        if options["json"]:
            self.stdout.write(json.dumps(line))
        elif line["ok"]:
            self.stdout.write(f"Sent to {invite.recipient} as {line['resend_id']}.")
        if not line["ok"]:
            raise CommandError(f"It was not sent: {line['error']}")
