"""The pages of the admin as a person finds them: from the first one on, link by link."""

from collections import Counter, deque
from dataclasses import dataclass
from html.parser import HTMLParser
from urllib.parse import parse_qsl, urldefrag, urljoin, urlsplit

from django.test import Client
from django.urls import resolve

START = "/admin/"
EXAMPLES = 2  # of addresses of one kind: every row of a table shows the same links


@dataclass(frozen=True)
class Visit:
    """What an address answered, its kind, and the page on which its link stands."""

    status: int
    kind: str
    linked_from: str
    content_type: str

    @property
    def is_page(self) -> bool:
        return self.status == 200 and self.content_type.startswith("text/html")


class Links(HTMLParser):
    """Collects where a page leads, and what it loads."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value for name, value in attrs if value and name in ("href", "src")]


def crawl(client: Client, *, examples: int = EXAMPLES) -> dict[str, Visit]:
    """Follow the links from the first page on; return what each address within the admin answered.

    Of addresses of one kind the first few are followed, and of a list that is filtered or sorted
    already no further filters: they have no end.
    """
    waiting = deque([(START, "")])
    visits: dict[str, Visit] = {}
    met: Counter[str] = Counter()
    while waiting:
        path, linked_from = waiting.popleft()
        kind = kind_of(path)
        if path in visits or met[kind] == examples:
            continue
        met[kind] += 1
        answer = client.get(path)
        visits[path] = Visit(answer.status_code, kind, linked_from, answer.get("Content-Type", ""))
        links = [answer["Location"]] if answer.status_code in (301, 302) else []
        if visits[path].is_page:
            links = links_of(answer.content.decode())
        waiting += [(each, path) for each in within_the_admin(path, links)]
    return visits


def kind_of(path: str) -> str:
    """Return the name of the page, and which parameters its address carries."""
    parts = urlsplit(path)
    parameters = sorted(name for name, _ in parse_qsl(parts.query, keep_blank_values=True))
    return " ".join([resolve(parts.path).view_name, *parameters])


def links_of(page: str) -> list[str]:
    """Return where a page leads, and what it loads, as the page writes it."""
    links = Links()
    links.feed(page)
    return links.found


def within_the_admin(page: str, links: list[str]) -> list[str]:
    """Return the addresses of these links that the crawl goes on to."""
    urls = [urldefrag(urljoin(page, link)).url for link in links]
    return [url for url in urls if url.startswith(START) and not ("?" in page and "?" in url)]
