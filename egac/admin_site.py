"""The admin site. It stands alone: Django makes it before the first page is registered on it."""

from django.contrib.admin import AdminSite


class OpsSite(AdminSite):
    """Django's admin under the club's name."""

    site_title = "EGAC Ops"
    site_header = "EGAC Ops"
    index_title = "Operations"
    site_url = None
    enable_nav_sidebar = False
