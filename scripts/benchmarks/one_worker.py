"""One worker process of a benchmark: it says that it is ready, waits for a word, and drains."""

import os
import sys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "egac.settings")

import django

django.setup()

from scripts.benchmarks.drains import ours, send_slowly  # noqa: E402  it imports models

print("ready", flush=True)
sys.stdin.readline()
ours(send_slowly)
