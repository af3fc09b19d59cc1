"""The verbs of bookings; each topic has a module of its own."""

from bookings.access import Move as Move
from bookings.access import move_access as move_access
from bookings.notices import CHANNELS as CHANNELS
from bookings.notices import Notice as Notice
from bookings.notices import can_have_whatsapp as can_have_whatsapp
from bookings.notices import messages_to as messages_to
from bookings.timeline import MOST_EVENTS as MOST_EVENTS
from bookings.timeline import add_to_timeline as add_to_timeline
