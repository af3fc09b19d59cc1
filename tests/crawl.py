"""The pages of the admin as a person finds them, link by link, and from every address there is."""

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qsl, urldefrag, urljoin, urlsplit

from django.test import Client
from django.urls import Resolver404, resolve

START = "/admin/"
EXAMPLES = 2  # of addresses of one kind: every row of a table shows the same links
A_PERSONS_OWN = ("logout",)  # nobody comes there by a link


@dataclass(frozen=True)
class Visit:
    """What an address answered, which page it is, what it asks, and where its link stands."""

    name: str
    kind: str
    linked_from: str
    status: int
    content_type: str = ""
    policy: str = ""
    text: str = ""

    @property
    def is_page(self) -> bool:
        return self.status == 200 and self.content_type.startswith("text/html")

    @property
    def is_ours(self) -> bool:
        """Whether it is a whole page of the admin, and no e-mail's own."""
        is_whole = self.text.lstrip()[:9].lower() == "<!doctype"
        return self.is_page and is_whole and not self.policy.startswith("sandbox")


class Links(HTMLParser):
    """Collects where a page leads, and what it loads."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if value and name in ("href", "src")]


def crawl(
    client: Client, *, starts: Iterable[str] = (START,), examples: int = EXAMPLES
) -> dict[str, Visit]:
    """Follow the links from these addresses on; return what each within the admin answered.

    Of addresses of one kind the first few are followed, and of a list that is filtered or sorted
    already no further filters: they have no end.
    """
    waiting = deque((start, "") for start in starts)
    visits: dict[str, Visit] = {}
    met: Counter[str] = Counter()
    while waiting:
        path, linked_from = waiting.popleft()
        name, kind = name_of(path), kind_of(path)
        if path in visits or met[kind] == examples or name in A_PERSONS_OWN:
            continue
        met[kind] += 1
        answer: Any = client.get(path)
        visits[path] = Visit(name, kind, linked_from, answer.status_code, *_read(answer))
        links = [answer["Location"]] if answer.status_code in (301, 302) else []
        if visits[path].is_page:
            links = links_of(visits[path].text)
        waiting += [(each, path) for each in within_the_admin(path, links)]
    return visits


def _read(answer: Any) -> tuple[str, str, str]:
    content = b"" if answer.streaming else answer.content
    headers = (answer.get("Content-Type", ""), answer.get("Content-Security-Policy", ""))
    return (*headers, content.decode(errors="replace"))


def name_of(path: str) -> str:
    """Return the name of the page at an address, without its site; "" where there is none."""
    try:
        return resolve(urlsplit(path).path).url_name or ""
    except Resolver404:
        return ""


def kind_of(path: str) -> str:
    """Return the name of a page and what its address asks."""
    asks = sorted(name for name, _ in parse_qsl(urlsplit(path).query, keep_blank_values=True))
    return " ".join([name_of(path), *asks])


def links_of(page: str) -> list[str]:
    """Return where a page leads, and what it loads, as the page writes it."""
    links = Links()
    links.feed(page)
    return links.found


def within_the_admin(page: str, links: list[str]) -> list[str]:
    """Return the addresses of these links that the crawl goes on to."""
    urls = [urldefrag(urljoin(page, link)).url for link in links]
    return [url for url in urls if url.startswith(START) and not ("?" in page and "?" in url)]
