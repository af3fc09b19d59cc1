from django.apps import AppConfig


class InvitesConfig(AppConfig):
    """Who was invited, and did the invite arrive."""

    name = "invites"

    def ready(self) -> None:
        from egac.console.navigation import Shortcut, register_shortcut
        from egac.metrics import register_rows
        from egac.people import Part, register_part, register_people
        from egac.people_in_tables import PeopleIn
        from invites.models import Enquiry, Invite
        from invites.monitor import FIXES, watch_invites
        from invites.person import enquiries_of, invites_of
        from jobs.fixes import register_fixes
        from jobs.watchers import register_watcher

        register_watcher("invites", watch_invites)
        register_fixes(FIXES)
        register_people("enquiry", PeopleIn(Enquiry, by_key="invites__pk"))
        register_part(Part("enquiries", "invites.view_enquiry", enquiries_of))
        register_part(Part("invites", "invites.view_invite", invites_of))
        invites = "admin:invites_invite_changelist"
        register_shortcut(Shortcut("Invites", invites, "invites.view_invite", 20))
        register_rows("invites", "email", Invite.objects.all)
