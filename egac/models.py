"""The tables of the ground, each defined beside its verbs."""

from egac.channels import Channel
from egac.delivery import DeliveryEvent, MessageAudit, Suppression

__all__ = ["Channel", "DeliveryEvent", "MessageAudit", "Suppression"]
