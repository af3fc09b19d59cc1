"""What each error of a provider means, and what a person does about it. A table a provider.

`{words}` stands for the provider's own words, `{who}` for its name or its host. Without `then` the
row is tried again by itself while it has attempts left.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Meaning:
    """What happened, and what a person does."""

    what: str
    then: str = ""


CORRECT = "correct the enquiry, then retry"
NEW_KEY = "Resend should give us a new key; write it into RESEND_API_KEY"
TELL = "a developer has to look at it"
LOOK = "ask the recipient or look at the provider's own list, and retry only what did not arrive"

# Whoever the provider is: what became of the call.
ANY: dict[str, Meaning] = {
    "timeout": Meaning("{who} did not answer in time, so perhaps it arrived"),
    "unreachable": Meaning("{who} could not be reached"),
    "too_late": Meaning("{who} was not asked, for whoever waited would have waited too long"),
    "connection_broken": Meaning("The connection broke during the call, so perhaps it arrived"),
    "half_an_answer": Meaning("{who}'s answer was cut off, so perhaps it arrived"),
    "unknown": Meaning("The sender stopped during the call, so perhaps it arrived"),
    "sender_died": Meaning("The sender stopped before the call"),
    "message": Meaning("The message could not be made or sent ({words})", TELL),
    "uncertain": Meaning("{who} may have taken it, and nobody knows", LOOK),
    "another_program": Meaning("Another program began to send it and did not end it", LOOK),
    "slower": Meaning("{who} asked us to slow down"),
    "server_error": Meaning("{who} had an error of its own"),
    "refused_before": Meaning("Something before {who} refused the call ({words})"),
    "key_refused": Meaning("{who} refuses our key", "renew the key in the settings, then retry"),
    "failed_later": Meaning("{who} took the message and then failed to send it ({words})"),
}

# https://resend.com/docs/api-reference/errors
RESEND: dict[str, Meaning] = {
    "validation_error": Meaning("Resend refused the address or the content ({words})", CORRECT),
    "invalid_parameter": Meaning("Resend refused a part of the message ({words})", CORRECT),
    "missing_required_field": Meaning("The message lacks something Resend needs ({words})", TELL),
    "invalid_attachment": Meaning("Resend refused an attachment ({words})", TELL),
    "invalid_from_address": Meaning(
        "Resend refuses our sender address ({words})", "correct RESEND_FROM, then retry"
    ),
    "invalid_idempotency_key": Meaning("Resend refused the key of this message ({words})", TELL),
    "invalid_idempotent_request": Meaning(
        "Resend holds another message under this one's key, so perhaps it arrived", LOOK
    ),
    "not_found": Meaning("Nothing is at Resend's address", "correct RESEND_API_URL, then retry"),
    "method_not_allowed": Meaning(
        "Resend's address takes no messages", "correct RESEND_API_URL, then retry"
    ),
    "missing_api_key": Meaning("Resend got no key from us", "write RESEND_API_KEY"),
    "invalid_api_key": Meaning("Resend refuses our key", NEW_KEY),
    "restricted_api_key": Meaning("Our key at Resend may not send", NEW_KEY),
    "suspended_api_key": Meaning("Resend suspended our key", "ask Resend why, then resume"),
    "invalid_permission": Meaning("Our key at Resend may not send", NEW_KEY),
    # Resend's name of it is validation_error, which under another status means another thing.
    "unverified_domain": Meaning(
        "Resend does not send for our domain ({words})", "verify the domain at Resend"
    ),
    "concurrent_idempotent_requests": Meaning("Resend was still busy with this very message"),
    "resource_locked": Meaning("Resend was still busy with this very message"),
    "rate_limit_exceeded": Meaning("Resend asked us to slow down"),
    "daily_quota_exceeded": Meaning("Today's quota at Resend is used up"),
    "monthly_quota_exceeded": Meaning(
        "This month's quota at Resend is used up", "buy a larger plan or wait for next month"
    ),
    "application_error": Meaning("Resend had an error of its own"),
    "internal_server_error": Meaning("Resend had an error of its own"),
    "service_unavailable": Meaning("Resend was out of service"),
}

TOKEN = Meaning(
    "Meta refuses our token or its permissions ({words})",
    "renew WHATSAPP_TOKEN in Meta's business settings, then resume the channel",
)
REQUEST = Meaning("WhatsApp refused a part of the message ({words})", TELL)
TEMPLATE = Meaning(
    "WhatsApp refused the template ({words})",
    "compare the template with its approved form in Meta's manager, then retry",
)
DOWN = Meaning("WhatsApp had an error of its own ({words})")
ASK_META = "see the account's quality page at Meta, settle it there, then resume the channel"

# https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes
WHATSAPP: dict[str, Meaning] = {
    **dict.fromkeys(("0", "3", "10", "190"), TOKEN),
    **dict.fromkeys(("1", "2", "131000"), DOWN),
    "131016": Meaning("WhatsApp was out of service"),
    "131057": Meaning("Our WhatsApp account is in maintenance"),
    **dict.fromkeys(("4", "80007", "130429"), Meaning("WhatsApp asked us to slow down")),
    "131056": Meaning("Too many messages went to this one number in a short time"),
    "131049": Meaning("Meta limits how much marketing this person gets; it may go after a day"),
    "131048": Meaning("Meta holds our number back as a source of spam", ASK_META),
    "131026": Meaning(
        "The number is not on WhatsApp, or its app is too old",
        "write to this person by e-mail, or correct the number",
    ),
    "131047": Meaning("More than a day has passed since their last message", "send a template"),
    "131021": Meaning("The message goes to our own number", "correct the number"),
    "33": Meaning("Meta does not know our number id", "correct WHATSAPP_PHONE_NUMBER_ID"),
    "100": REQUEST,
    "131008": Meaning("The message lacks something WhatsApp needs ({words})", TELL),
    "131009": REQUEST,
    "132000": Meaning("The template takes another number of variables ({words})", TELL),
    "132001": Meaning(
        "The template does not exist in that language",
        "have it approved in Meta's manager, then retry",
    ),
    "132005": Meaning("The text is too long for the template once it is filled in", TELL),
    "132007": Meaning(
        "The template breaks a rule of Meta", "mend it in Meta's manager, then retry"
    ),
    "132012": Meaning("A variable of the template has the wrong form ({words})", TELL),
    "132015": Meaning(
        "Meta paused the template for its low quality",
        "edit it in Meta's manager, wait until it is active, then retry",
    ),
    "132016": Meaning(
        "Meta disabled the template for good", "make a new one in Meta's manager, then retry"
    ),
    "131042": Meaning("Meta could not charge us", "settle the payment at Meta, then resume"),
    "368": Meaning("Meta blocks us for breaking a rule", ASK_META),
    "131031": Meaning("Meta locked our account", ASK_META),
    "130497": Meaning(
        "Meta does not let us write to this country", "write to this person by e-mail"
    ),
    "131005": Meaning("Meta says that we may not do this", TOKEN.then),
    "131037": Meaning("Our number has no approved name", "have its name approved at Meta"),
    "131045": Meaning("Our number is not registered at Meta", "register it again, then resume"),
    "133010": Meaning("Our number is not registered at Meta", "register it again, then resume"),
}
# Whole ranges of Meta's codes mean one thing, where a code has no line of its own.
WHATSAPP_RANGES = ((range(200, 300), TOKEN), (range(132000, 133000), TEMPLATE))

# https://developers.zoom.us/docs/api/: only what makes us do different things has a line.
ZOOM: dict[str, Meaning] = {
    "124": Meaning("Zoom refuses our access token", "renew the app's secret in the settings"),
    "4700": Meaning("Our app at Zoom may not do this", "give it the scope in Zoom's marketplace"),
    "4711": Meaning("Our app at Zoom may not do this", "give it the scope in Zoom's marketplace"),
    "429": Meaning("Zoom asked us to slow down, or this host has no meetings left today"),
    "token": Meaning("Zoom gave no access token ({words})", "check the ZOOM_ settings"),
    "other": Meaning("Zoom refused the meeting ({words})", "mend what it names; see the class"),
}


def meaning_of(who: str, code: str) -> Meaning | None:
    """Return what a code of a provider means, or None where no table knows it."""
    known = {"Resend": RESEND.get(code), "WhatsApp": _of_whatsapp(code), "Zoom": _of_zoom(code)}
    return known.get(who) or ANY.get(code) or _of_status(who, code)


def _of_whatsapp(code: str) -> Meaning | None:
    number = int(code) if code.isdecimal() else -1
    of_range = (meaning for codes, meaning in WHATSAPP_RANGES if number in codes)
    return WHATSAPP.get(code) or next(of_range, None)


def _of_zoom(code: str) -> Meaning | None:
    return ZOOM.get(code) or (ZOOM["other"] if code.isdecimal() else None)


def _of_status(who: str, code: str) -> Meaning | None:
    name, _, status = code.partition("_")
    if name != "http" or not status.isdecimal():
        return None
    if status.startswith("5"):
        return ANY["server_error"]
    if status == "429":
        return ANY["slower"]
    if status in ("401", "403"):
        return RESEND["invalid_api_key"] if who == "Resend" else ANY["key_refused"]
    return ANY["refused_before"]
