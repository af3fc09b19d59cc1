"""The dashboard's panels as a person reads them."""

import html
import re
from typing import Any
from xml.etree import ElementTree

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


def drawn(chart: str) -> dict[str, list[tuple[int, int]]]:
    """Return top and bottom of each column of a chart, from left to right, by what it tells."""
    page = refreshed(login("Viewers")).content.decode()
    [svg] = re.findall(rf'<svg [^>]*aria-labelledby="{chart}-title .*?</svg>', page, flags=re.S)
    columns: dict[str, list[tuple[int, int]]] = {}
    for rect in ElementTree.fromstring(svg).iter("rect"):
        top = int(rect.attrib["y"])
        columns.setdefault(rect.attrib["class"], []).append((top, top + int(rect.attrib["height"])))
    return columns
