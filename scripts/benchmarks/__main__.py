"""Set up Django, then measure; its models cannot be imported before."""

import os
import sys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "egac.settings")
os.environ.update(DEBUG="1", RESEND_API_KEY="re_bench", RESEND_FROM="EGAC <noreply@club.example>")

import django

django.setup()

from scripts.benchmarks.run import main  # noqa: E402  it imports models

sys.exit(main(sys.argv[1:]))
