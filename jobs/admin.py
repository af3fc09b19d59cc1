"""The pages of jobs: every job, every run, and what is wrong."""

from django.contrib import admin

from jobs.admin_alerts import AlertAdmin
from jobs.admin_jobs import ScheduledJobAdmin
from jobs.admin_runs import JobRunAdmin
from jobs.models import Alert, JobRun, ScheduledJob

admin.site.register(ScheduledJob, ScheduledJobAdmin)
admin.site.register(JobRun, JobRunAdmin)
admin.site.register(Alert, AlertAdmin)
