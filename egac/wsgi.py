"""The site for a WSGI server such as gunicorn."""

import logging
import os
from importlib import import_module

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from egac.logs import RedactSecrets

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "egac.settings")

application = get_wsgi_application()
import_module(settings.ROOT_URLCONF)  # now, not while somebody waits for the first page

# gunicorn sets its logs up itself: addresses, referrers and requests that broke stand in them.
for _name in ("gunicorn.access", "gunicorn.error"):
    logging.getLogger(_name).addFilter(RedactSecrets())
