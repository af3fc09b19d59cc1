"""What a person compares of a message: to whom, what about, and its words. Pure."""

from collections.abc import Mapping
from typing import Any

from django.utils.html import strip_tags


def parts_of(message: Mapping[str, Any]) -> dict[str, str]:
    """Return the parts of an e-mail or a WhatsApp message by name, in the order of reading."""
    parts = _of_whatsapp(message) if "template" in message else _of_email(message)
    return {name: text for name, text in parts.items() if text}


def _of_email(message: Mapping[str, Any]) -> dict[str, str]:
    attached = message.get("attachments") or []
    return {
        "To": ", ".join(message.get("to") or ()),
        "From": str(message.get("from") or ""),
        "Reply to": str(message.get("reply_to") or ""),
        "Subject": str(message.get("subject") or ""),
        "Attachments": ", ".join(str(each.get("filename", "a file")) for each in attached),
        "Text": str(message.get("text") or strip_tags(str(message.get("html") or "")).strip()),
    }


def _of_whatsapp(message: Mapping[str, Any]) -> dict[str, str]:
    template = message["template"]
    variables = [
        word["text"] for part in template.get("components", ()) for word in part["parameters"]
    ]
    return {
        "To": str(message.get("to") or ""),
        "Template": f"{template['name']} ({template['language']['code']})",
        "Variables": "\n".join(f"{number}. {word}" for number, word in enumerate(variables, 1)),
    }
