"""A club of many years for the console: rows of every list, made by the database itself."""

from datetime import date

from django.db import connection

# One row in so many has failed, waits or is new; the others came to a good end long ago. To the
# first person went one message in a hundred.
PEOPLE = """
INSERT INTO class_packages (name, plan, price, currency)
  SELECT 'Package ' || n, CASE WHEN n % 2 = 0 THEN 'monthly' ELSE 'per_class' END, 40 + n, 'GBP'
  FROM generate_series(1, 8) AS n;
INSERT INTO instructors (name) SELECT 'Instructor ' || n FROM generate_series(1, 20) AS n;
INSERT INTO customers (name, email, phone, whatsapp_opted_in_at, reference, created_at)
  SELECT (ARRAY['Amelia', 'Bea', 'Chidi', 'Zoë', 'Mia'])[1 + n % 5] || ' ' || 'Family' || n,
    'person' || n || '@families.example', '+4477' || lpad(n::text, 8, '0'),
    CASE WHEN n % 3 = 0 THEN now() END, 'C-' || n, now() - n * interval '7 minutes'
  FROM generate_series(1, {people}) AS n;
INSERT INTO bookings (customer_id, package_id, plan, status, weekdays, billing_anchor_on, price,
    currency, billed_through_on, access_status)
  SELECT customers.id, 2 + 2 * (customers.id % 4), 'monthly',
    (ARRAY['confirmed', 'confirmed', 'confirmed', 'pending', 'cancelled'])[1 + customers.id % 5],
    '{{2}}', current_date - 365 + (customers.id % 28)::int, 42, 'GBP', NULL,
    CASE WHEN customers.id % 50 = 0 THEN 'overdue_locked' ELSE 'active' END
  FROM customers;
UPDATE bookings SET billed_through_on = anchor.ends_on FROM (SELECT id,
    (billing_anchor_on + interval '1 month' * extract(month FROM age(current_date,
      billing_anchor_on)) + interval '1 year' * extract(year FROM age(current_date,
      billing_anchor_on)) + interval '1 month')::date - 1 AS ends_on FROM bookings) AS anchor
  WHERE anchor.id = bookings.id;
"""
CLASSES = """
INSERT INTO class_sessions (title, instructor_id, starts_at, ends_at, status)
  SELECT 'Class ' || n, 1 + n % 20, now() + (n - {sessions} + 200) * interval '1 hour',
    now() + (n - {sessions} + 201) * interval '1 hour',
    CASE WHEN n > {sessions} - 200 THEN 'scheduled' WHEN n % 40 = 0 THEN 'cancelled'
      ELSE 'completed' END
  FROM generate_series(1, {sessions}) AS n;
INSERT INTO enrolments (booking_id, session_id, attendance)
  SELECT 1 + (n * 7919) % {people}, 1 + n % {sessions},
    (ARRAY['attended', 'attended', 'attended', 'missed', 'expected'])[1 + n % 5]
  FROM generate_series(1, {enrolments}) AS n ON CONFLICT DO NOTHING;
"""
MONEY = """
INSERT INTO invoices (number, kind, booking_id, customer_id, status, billed_to, billed_for,
    issued_on, due_on, currency, net, tax, total, paid, paid_on)
  SELECT 'EGAC-2026-' || lpad(n::text, 6, '0'),
    CASE WHEN n % 50 = 0 THEN 'manual' ELSE 'monthly' END, customers.id, customers.id,
    CASE WHEN n > {invoices} - {people} / 4 THEN 'pending' WHEN n % 30 = 0 THEN 'cancelled'
      ELSE 'paid' END, customers.name, 'A month of running', current_date - 40,
    current_date - 12 + (n % 40), 'GBP', 42, 0, 42, 42, current_date - 20
  FROM generate_series(1, {invoices}) AS n JOIN customers ON customers.id = 1 + n % {people};
UPDATE invoices SET paid = 0, paid_on = NULL WHERE status = 'pending';
INSERT INTO payments (invoice_id, amount, currency, paid_on, method, reference)
  SELECT id, 42, 'GBP', current_date - 20, (ARRAY['bank_transfer', 'bank_transfer',
    'bank_transfer', 'cash'])[1 + id % 4], 'FP ' || id FROM invoices WHERE status = 'paid';
INSERT INTO billing_problems (job, booking_id, why, solved_at)
  SELECT 'generate_monthly_invoices', id, 'It has no price.', CASE WHEN id % 9 <> 0 THEN now() END
  FROM bookings WHERE id % 50 = 0;
"""
INVITED = """
INSERT INTO enquiries (name, email, phone, interest, created_at)
  SELECT (ARRAY['Amelia', 'Bea', 'Chidi', 'Zoë', 'Mia'])[1 + n % 5] || ' ' || 'Family' || n,
    'person' || n || '@families.example', '+4477' || lpad(n::text, 8, '0'), 'Running',
    now() - n * interval '9 minutes'
  FROM generate_series(1, {invites}) AS n;
INSERT INTO invites (token, enquiry_id, created_at, sent_at, status, send_attempts, reason,
    last_send_error, rendered)
  SELECT md5(id::text), id, created_at, created_at + interval '1 minute', state,
    1, CASE WHEN state = 'failed' THEN 'permanent' END,
    CASE WHEN state = 'failed' THEN '{{"code": "invalid_to", "message": "No such address."}}'::jsonb
    END, {body}
  FROM (SELECT *, CASE WHEN row_number() OVER () % 100 = 0 THEN 'failed'
    WHEN row_number() OVER () % 500 = 1 THEN 'pending' WHEN row_number() OVER () % 9 = 2
    THEN 'accepted' ELSE 'sent' END AS state FROM enquiries) AS asked;
"""
MESSAGES = """
INSERT INTO notifications_queue (status, type, payload, attempts, error_message, created_at,
    sent_at, reason, generation, rendered)
  SELECT state, kind, jsonb_build_object('channel', CASE WHEN n % 4 = 0 THEN 'whatsapp'
      ELSE 'email' END, 'to', CASE WHEN n % 4 = 0 THEN '+4477' || lpad(who::text, 8, '0')
      ELSE 'person' || who || '@families.example' END, 'template', kind, 'context',
    jsonb_build_object('name', (ARRAY['Amelia', 'Bea', 'Chidi', 'Zoë', 'Mia'])[1 + who % 5]
      || ' Family' || who, 'invoice_number', 'EGAC-2026-' || lpad(n::text, 6, '0'),
      'amount', '£42.00', 'booking', 'Junior running (monthly)', 'times',
      'Tuesdays and Thursdays at 18:30 UK time')), 1,
    CASE WHEN state = 'failed' THEN 'No such address.' END, born, born, CASE WHEN state = 'failed'
      THEN 'permanent' WHEN state = 'cancelled' THEN 'irrelevant' END, 1,
    CASE WHEN n > {messages} * 9 / 10 THEN {body} END
  FROM (SELECT n, CASE WHEN n % 101 = 0 THEN 1 ELSE n % {people} END AS who,
      (ARRAY['payment_reminder', 'invoice_issued', 'class_notification',
      'payment_received'])[1 + n % 4] AS kind, now() - ({messages} - n) * interval '40 seconds'
      AS born, CASE WHEN n % 500 = 0 THEN 'failed' WHEN n % 100 = 1 THEN 'cancelled'
      WHEN n > {messages} - 5000 AND n % 3 = 2 THEN 'pending' ELSE 'completed' END AS state
    FROM generate_series(1, {messages}) AS n) AS made;
INSERT INTO message_audit (at, source, source_id, generation, attempt, counted, channel, recipient,
    provider, provider_message_id, outcome, error_code, error_message, duration_ms)
  SELECT sent_at, 'notifications_queue', id::text, 1, 1, true, payload ->> 'channel',
    payload ->> 'to', 'resend', 'm-' || id, CASE WHEN status = 'failed' THEN 'refused'
      WHEN id % 9999 = 0 THEN 'died' ELSE 'accepted' END,
    CASE WHEN status = 'failed' THEN 'invalid_to' ELSE '' END, '', 80
  FROM notifications_queue;
INSERT INTO delivery_events (provider, event_id, provider_message_id, source, source_id, kind,
    occurred_at, received_at, recipient)
  SELECT 'resend', 'e-' || id, 'm-' || id, 'notifications_queue', id::text, 'delivered',
    sent_at, sent_at, payload ->> 'to' FROM notifications_queue WHERE id % 2 = 0;
"""
REST = """
INSERT INTO suppressions (address, reason) SELECT 'gone' || n || '@families.example', 'bounced'
  FROM generate_series(1, {people} / 20) AS n;
INSERT INTO jobs_jobrun (job, status, exclusive, trigger, actor, business_on, dry_run, started_at,
    finished_at, lease_ends_at, result)
  SELECT (ARRAY['run_worker_queue', 'retry_invites', 'schedule_create_zoom',
      'generate_monthly_invoices'])[1 + n % 4], CASE WHEN n % 1000 = 0 THEN 'failed'
      WHEN n % 9000 = 1 THEN 'lost' ELSE 'succeeded' END, false,
    CASE WHEN n % 3000 = 0 THEN 'hand' WHEN n % 7 = 0 THEN 'http' ELSE 'cron' END, 'cron',
    (now() - ({runs} - n) * interval '3 minutes')::date, n % 2500 = 0,
    now() - ({runs} - n) * interval '3 minutes', now() - ({runs} - n) * interval '3 minutes'
      + interval '2 seconds', now(), jsonb_build_object('processed', 3, 'left', 0, 'results',
      jsonb_build_array(n, n + 1), 'note', '')
  FROM generate_series(1, {runs}) AS n;
INSERT INTO jobs_alert (cause, sentence, next_step, page, count, opened_at, last_seen_at, closed_at,
    told)
  SELECT 'cause' || n, n || ' messages failed.', 'Look at them.', '/admin/', 1, now()
    - n * interval '1 minute', now() - n * interval '1 minute',
    CASE WHEN n > 5 THEN now() - n * interval '30 seconds' END, '{{}}'
  FROM generate_series(1, {messages}) AS n;
INSERT INTO workers (name, kind, recorded) SELECT 'host:' || n, 'loop', n
  FROM generate_series(1, 200) AS n;
INSERT INTO django_admin_log (action_time, object_id, object_repr, action_flag, change_message,
    content_type_id, user_id)
  SELECT now() - n * interval '40 seconds', n::text, (ARRAY['Amelia', 'Bea', 'Chidi',
    'Zoë', 'Mia'])[1 + n % 5] || ' Family' || n, 2,
    'Retry now: 1 of 1.' || CASE WHEN n % 3 = 0 THEN ' Reason: She lost the mail.' ELSE '' END,
    kind.id, who.id
  FROM generate_series(1, {messages}) AS n
    CROSS JOIN (SELECT id FROM django_content_type WHERE model = 'invite') AS kind
    CROSS JOIN (SELECT min(id) AS id FROM auth_user HAVING count(*) > 0) AS who;
INSERT INTO secret_uses (name) SELECT 'secret ' || n FROM generate_series(1, 20) AS n;
INSERT INTO channels (name) VALUES ('email'), ('whatsapp');
"""
# An e-mail as it was sent; that of the older rows was pruned.
BODY = """json_build_object('from', 'EGAC', 'to', json_build_array('person@families.example'),
  'subject', 'See you', 'html', '<p>' || repeat(md5(random()::text), 20) || '</p>')::text"""
EMPTY = """
TRUNCATE class_packages, instructors, customers, invites, enquiries, notifications_queue,
  message_audit, delivery_events, suppressions, jobs_jobrun, jobs_alert, workers, channels,
  secret_uses, hourly_figures, django_admin_log
  RESTART IDENTITY CASCADE
"""


def fill(messages: int) -> None:
    """Put so many messages into the empty tables, and of everything else in proportion."""
    sizes = {
        "messages": messages,
        "invites": messages // 5,
        "people": messages // 10,
        "sessions": messages // 50,
        "enrolments": messages // 5,
        "invoices": messages // 4,
        "runs": messages,
        "body": BODY,
    }
    with connection.cursor() as cursor:
        cursor.execute(EMPTY)
        for statements in (PEOPLE, CLASSES, MONEY, INVITED, MESSAGES, REST):
            for statement in statements.format(**sizes).split(";\n"):
                if statement.strip():
                    cursor.execute(statement)


def tomorrow() -> date:
    """Return the day after the one that the rows' days are counted from."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_date + 1")
        on: date = cursor.fetchone()[0]
        return on


def tidy() -> None:
    """Let the planner know of the rows, as autovacuum does in time."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
