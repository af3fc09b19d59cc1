"""The club's tables as the older program made them (the website and its retry job)."""

from egac.adoption import OlderTable

ENQUIRIES = OlderTable(
    model="Enquiry",
    base="""
CREATE TABLE IF NOT EXISTS enquiries (
  id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
  created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
  name TEXT, email TEXT, phone TEXT, interest TEXT, source TEXT, note TEXT,
  training_days JSONB,
  dob DATE,
  processed BOOLEAN NOT NULL DEFAULT false,
  raw_payload JSONB,
  invite_id UUID,
  events JSONB DEFAULT '[]'::jsonb
)""",
    rules={
        "enquiries_invite_fk": (
            "FOREIGN KEY (invite_id) REFERENCES invites(id) ON DELETE SET NULL"
        ),
    },
)

INVITES = OlderTable(
    model="Invite",
    base="""
CREATE TABLE IF NOT EXISTS invites (
  id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
  token TEXT NOT NULL UNIQUE,
  enquiry_id UUID REFERENCES enquiries(id) ON DELETE SET NULL,
  created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
  sent_at TIMESTAMPTZ,
  accepted_at TIMESTAMPTZ,
  status TEXT NOT NULL DEFAULT 'pending'
)""",
    rules={
        "invites_enquiry_id_fkey": (
            "FOREIGN KEY (enquiry_id) REFERENCES enquiries(id) ON DELETE SET NULL"
        ),
    },
    # The older program counted no attempts: one for what was sent or failed, or as many as it
    # noted failures. The statement of scripts/migrations/20260102_add_send_attempts.sql.
    fill={
        "send_attempts": """greatest(
    CASE WHEN status IN ('sent', 'accepted', 'failed') THEN 1 ELSE 0 END,
    (SELECT jsonb_array_length(
        jsonb_path_query_array(enquiries.events, '$[*] ? (@.type == "invite_send_failed")'))
     FROM enquiries WHERE enquiries.id = invites.enquiry_id))""",
    },
)
