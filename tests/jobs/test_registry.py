from django.core.management import get_commands, load_command_class

from jobs.command import JobCommand
from jobs.registry import JOBS


def test_every_job_is_a_management_command_of_its_name() -> None:
    commands = {name: load_command_class(app, name) for name, app in get_commands().items()}
    jobs = {name: command for name, command in commands.items() if isinstance(command, JobCommand)}

    assert {name: command.job for name, command in jobs.items()} == {name: name for name in JOBS}
