"""A form of the admin as a person finds it: with what stands in its boxes, hidden ones too."""

from typing import Any

from django.forms import BoundField
from django.test import Client


def opened(client: Client, url: str) -> dict[str, Any]:
    """Return what the form at this address would post as it is opened."""
    answer: Any = client.get(url)
    forms = [answer.context["adminform"].form]
    for each in answer.context["inline_admin_formsets"]:
        forms += [each.formset.management_form, *each.formset.forms]
    boxes = [box for form in forms for box in form]
    posted = {box.html_name: posted_by(box) for box in boxes}
    return {name: value for name, value in posted.items() if value is not None}


def posted_by(box: BoundField) -> Any:
    """Return what a box posts as it is opened; None for one that is not ticked."""
    value = box.value()
    if isinstance(value, bool):
        return "on" if value else None
    return value if isinstance(value, list) else box.field.widget.format_value(value)
