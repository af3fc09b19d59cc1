"""The tables of the ground, each defined beside its verbs."""

from egac.canary import CanaryRetry
from egac.channels import Channel
from egac.console.models import Failure, LoggedAction, Person, Role
from egac.delivery import DeliveryEvent, MessageAudit, Suppression
from egac.figures import FinishedRows, HourlyFigure
from egac.secret_use import SecretUse

__all__ = [
    "CanaryRetry",
    "Channel",
    "DeliveryEvent",
    "Failure",
    "FinishedRows",
    "HourlyFigure",
    "LoggedAction",
    "MessageAudit",
    "Person",
    "Role",
    "SecretUse",
    "Suppression",
]
