"""Set up Django as in production, then measure; its models cannot be imported before."""

import os
import sys

from egac import localdb
from egac.environment import read_env_file, text

read_env_file()
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "egac.settings")
if not text("DATABASE_URL"):
    os.environ["DATABASE_URL"] = localdb.database_url()
os.environ.update(
    DEBUG="0",  # with it Django keeps every statement and no connection
    SECRET_KEY="only-for-the-benchmark",
    RESEND_API_KEY="re_bench",
    RESEND_FROM="EGAC <noreply@club.example>",
    WHATSAPP_TOKEN="bench",
    WHATSAPP_PHONE_NUMBER_ID="100000000000001",
    SITE_BASE_URL="https://club.example",
    SENDING="on",
    RESEND_DRY_RUN="0",
    WHATSAPP_DRY_RUN="0",
    DIVERT_EMAIL_TO="",
)

import django  # noqa: E402  it reads what is set above

django.setup()

from scripts.benchmarks.run import main  # noqa: E402  it imports models

sys.exit(main(sys.argv[1:]))
