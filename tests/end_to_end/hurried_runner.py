"""A command in a process whose loop polls often and comes back soon after an error.

`python -m tests.end_to_end.hurried_runner run_worker_queue --loop`: all else is as it is. The real
pauses are 5 and 10 seconds.
"""

import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "egac.settings")
django.setup()

from django.core.management import execute_from_command_line  # noqa: E402  Django comes first

from notifications import worker  # noqa: E402

if __name__ == "__main__":
    worker.POLL_SECONDS = worker.AFTER_ERROR_SECONDS = 1.0
    execute_from_command_line(["manage.py", *sys.argv[1:]])
