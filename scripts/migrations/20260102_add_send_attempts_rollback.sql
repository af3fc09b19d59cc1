-- Takes send_attempts away again. The column last_send_error stays: it may hold what went wrong.
-- Where `manage.py migrate` has run, go back with `manage.py migrate invites zero` first.
ALTER TABLE invites DROP COLUMN IF EXISTS send_attempts;
