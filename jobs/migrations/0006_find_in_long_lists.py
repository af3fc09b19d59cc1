"""List and filter many runs of jobs by indexes."""

from django.db import migrations, models

from egac.indexing import BuildIndexes


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("jobs", "0005_end_of_job_pauses")]
    operations = [
        BuildIndexes(
            "JobRun",
            models.Index(fields=["-started_at", "-id"], name="runs_by_time"),
            models.Index(fields=["status", "-started_at"], name="runs_by_status"),
            models.Index(fields=["trigger", "-started_at"], name="runs_by_trigger"),
            models.Index(
                fields=["-started_at"],
                name="runs_that_changed_nothing",
                condition=models.Q(dry_run=True),
            ),
        )
    ]
