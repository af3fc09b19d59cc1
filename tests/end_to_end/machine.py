"""One machine's cron: each job in a process of its own, all begun at the same moment.

`python -m tests.end_to_end.machine "retry_invites --trigger cron" "prune_history …"`: the processes
are forked after Django is ready, so that none waits for another to start. It fails if one does.
"""

import multiprocessing
import os
import sys

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "egac.settings")
django.setup()

from django.core.management import call_command  # noqa: E402  Django comes first

if __name__ == "__main__":
    cron = multiprocessing.get_context("fork")
    processes = [cron.Process(target=call_command, args=line.split()) for line in sys.argv[1:]]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    sys.exit(any(process.exitcode for process in processes))
