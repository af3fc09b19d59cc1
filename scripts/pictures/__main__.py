"""Set up Django, the stand-in and a scratch database, then take the pictures."""

import os
import sys

from egac import localdb
from scripts import first_look

os.environ.update(
    DATABASE_URL=os.environ.get("DATABASE_URL") or localdb.database_url(),
    DEBUG="1",
    SECRET_KEY="only-for-the-pictures",
    BUSINESS_TIME_ZONE="Europe/London",
)
stand_in = first_look.start("-m", "tests.providers", "--port", "0")
try:
    first_look.set_defaults("http://127.0.0.1:8000")
    first_look.point_at(first_look.announced_address(stand_in))

    import django

    django.setup()

    from scripts.pictures.run import main  # it imports models

    sys.exit(main(sys.argv[1:]))
finally:
    first_look.end(stand_in)
