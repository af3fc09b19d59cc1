"""The dashboard's panels as a person reads them."""

import html
import re
from typing import Any

from django.test import Client
from django.utils.html import strip_tags

from tests.staff import login


def refreshed(client: Client) -> Any:
    return client.get("/admin/dashboard/", headers={"HX-Request": "true"})


def shown(name: str, client: Client | None = None) -> str:
    """Return a panel of the dashboard as a person reads it."""
    page = refreshed(client or login("Viewers")).content.decode()
    _, _, rest = page.partition(f'<div id="panel-{name}-body"')
    panel = re.split(r'<div id="panel-|<span id="dashboard', rest.partition(">")[2])[0]
    words = strip_tags(re.sub(r"<svg.*?</svg>", "", panel, flags=re.S).replace("<", " <"))
    return " ".join(html.unescape(words).split())
