-- Adds send_attempts and last_send_error to invites. Safe to run again: what is there stays.
-- Where it adds send_attempts it infers how often each invite was tried: once when it was sent,
-- accepted or failed, or as often as its enquiry notes a failed send, if that is more.
-- `manage.py migrate` does the same and more; after this file it leaves the two columns alone.
BEGIN;
SET LOCAL lock_timeout = '5s';
DO $$
BEGIN
  IF NOT EXISTS (
    SELECT FROM pg_attribute
    WHERE attrelid = 'invites'::regclass AND attname = 'send_attempts' AND NOT attisdropped
  ) THEN
    ALTER TABLE invites ADD COLUMN IF NOT EXISTS send_attempts INTEGER NOT NULL DEFAULT 0;
    UPDATE invites SET send_attempts = greatest(
      CASE WHEN status IN ('sent', 'accepted', 'failed') THEN 1 ELSE 0 END,
      (SELECT jsonb_array_length(
          jsonb_path_query_array(enquiries.events, '$[*] ? (@.type == "invite_send_failed")'))
       FROM enquiries WHERE enquiries.id = invites.enquiry_id));
  END IF;
END $$;
ALTER TABLE invites ADD COLUMN IF NOT EXISTS last_send_error JSONB;
COMMIT;
