"""How fast a channel may go, and who says so, in words."""

from django.conf import settings

from egac.channels import RATES, Channel


def calls_a_second(rate: float) -> str:
    """Return a channel's rate in words."""
    return f"{rate:g} {'call' if rate == 1 else 'calls'} a second"


def whose_rate(channel: Channel) -> str:
    """Return in brackets whether the setting or the provider decides, where there is a choice."""
    setting = RATES[channel.name]
    most = getattr(settings, setting)
    if most is None:
        return f" ({setting} is not set, so the provider decides)"
    if channel.told_rate is None:
        return ""
    if channel.told_rate < most:
        return f" (all that the provider allows; {setting} is {most:g})"
    return f" ({setting}; the provider allows {channel.told_rate:g})"
