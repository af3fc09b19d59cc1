"""The statements that let the database itself start the jobs, by its extension pg_cron. Pure.

No secret stands in them: on Supabase it is read from the Vault when a job starts.
"""

from jobs.registry import JOBS, Job

WORKER = "run_worker_queue"
SCHEDULED_AS = "process-queue"  # the worker, under the name that is known from before
VAULT_SECRET = "egac_cron_secret"
OLDER_ADDRESSES = {"retry_invites": "/api/admin/retry-invites.json"}

PLAIN = """\
-- pg_cron wakes the worker (`manage.py run_worker_queue --loop`) where messages are due. It marks
-- none of them: the worker claims, sends and completes. The other jobs need cron on the site's
-- machine, or pg_cron_sql --supabase.
BEGIN;
CREATE EXTENSION IF NOT EXISTS pg_cron;
CREATE OR REPLACE FUNCTION process_notifications_queue() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (
    SELECT FROM notifications_queue
    WHERE status = 'pending' AND (scheduled_for IS NULL OR scheduled_for <= now())
  ) THEN
    PERFORM pg_notify('notifications_queue', '');
  END IF;
END;
$$;
{schedules}
COMMIT;
"""

SUPABASE = """\
-- pg_cron starts the jobs of {site} over HTTP, by pg_net. Times are in UTC.
-- Before: put the value of CRON_SECRET into the Vault, once, in the SQL editor:
--   SELECT vault.create_secret('<the value of CRON_SECRET>', '{secret}');
{without_address}
BEGIN;
CREATE EXTENSION IF NOT EXISTS pg_cron;
CREATE EXTENSION IF NOT EXISTS pg_net;
CREATE OR REPLACE FUNCTION egac_start(path text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  secret text := (SELECT decrypted_secret FROM vault.decrypted_secrets WHERE name = '{secret}');
BEGIN
  IF secret IS NULL THEN
    RAISE EXCEPTION 'The Vault holds no {secret}.';
  END IF;
  PERFORM net.http_post(
    url := '{site}' || path,
    body := '{{}}'::jsonb,
    headers := jsonb_build_object(
      'Content-Type', 'application/json', 'Authorization', 'Bearer ' || secret
    ),
    timeout_milliseconds := 30000
  );
END;
$$;
CREATE OR REPLACE FUNCTION process_notifications_queue() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('notifications_queue', '');
  PERFORM egac_start('{worker}');
END;
$$;
-- Supabase lets the world call a function; these are the database's own.
REVOKE EXECUTE ON FUNCTION egac_start, process_notifications_queue
  FROM PUBLIC, anon, authenticated;
SELECT cron.unschedule(jobid) FROM cron.job WHERE command LIKE '%egac_start(%';
{schedules}
COMMIT;
"""


def plain_statements() -> str:
    """Return what schedules the wake-up of the worker, for a database that has pg_cron alone."""
    return PLAIN.format(schedules=_schedule_of_worker())


def supabase_statements(site: str) -> str:
    """Return what schedules every job that has an address at `site`, a plain URL, for Supabase."""
    reached = [job for job in JOBS.values() if address(job)]
    others = ", ".join(job.name for job in JOBS.values() if not address(job))
    schedules = [
        _schedule(job.functions[0] if job.functions else job.name, job, _call(job))
        for job in reached
        if job.name != WORKER
    ]
    return SUPABASE.format(
        site=site,
        secret=VAULT_SECRET,
        worker=address(JOBS[WORKER]),
        without_address=f"-- No address starts {others}: they need cron on the site's machine.",
        schedules="\n".join([_schedule_of_worker(), *schedules]),
    )


def address(job: Job) -> str:
    """Return the path that starts a job over HTTP, or ""."""
    if job.functions:
        return f"/functions/v1/{job.functions[0]}"
    return OLDER_ADDRESSES.get(job.name, "")


def _call(job: Job) -> str:
    return f"SELECT egac_start('{address(job)}')"


def _schedule_of_worker() -> str:
    return _schedule(SCHEDULED_AS, JOBS[WORKER], "SELECT process_notifications_queue()")


def _schedule(name: str, job: Job, command: str) -> str:
    return f"SELECT cron.schedule('{name}', '{job.schedule}', $${command}$$);"
