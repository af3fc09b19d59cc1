"""Take a picture of every kind of page, wide and narrow, light and dark; or the documents' own."""

import argparse
from collections.abc import Iterator, Mapping
from itertools import chain, product
from pathlib import Path
from typing import Any

from django.test import Client
from playwright.sync_api import Browser, Page, sync_playwright
from playwright.sync_api import TimeoutError as TookTooLong

from egac.environment import BASE_DIR
from scripts.pictures.club import STAFF, pages_of, running_club, signed_in
from scripts.pictures.pressed import PRESSED, let_many_fail
from scripts.pictures.scenes import SCENES, Scene
from scripts.pictures.small import make_small
from tests.conftest import CHROMIUM

DOCS = BASE_DIR / "docs" / "images"
VIEWPORTS = {"1280": {"width": 1280, "height": 800}, "390": {"width": 390, "height": 844}}
SCHEMES = ("light", "dark")
MOST_MILLISECONDS = 5_000  # that a step waits for what it presses


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="scripts/screenshots", description=__doc__)
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("folder", nargs="?", type=Path, help="takes every kind of page into it")
    where.add_argument("--docs", action="store_true", help="takes docs/images anew")
    chosen = parser.parse_args(arguments)
    folder = DOCS if chosen.docs else chosen.folder
    folder.mkdir(parents=True, exist_ok=True)
    with running_club() as address:
        clients = {group: signed_in(name, group) for group, name in STAFF.items()}
        pages = {}
        if not chosen.docs:
            pages = pages_of(clients["Managers"])
            let_many_fail()
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            studio = Studio(browser, address, clients)
            of_all = chain(studio.take_pages(pages), studio.take_pressed())
            taken = studio.take_scenes() if chosen.docs else of_all
            count = sum(1 for _ in save(taken, folder, is_small=chosen.docs))
            browser.close()
    print(f"{count} pictures are in {folder}.")
    return 0


def save(taken: Iterator[tuple[str, bytes]], folder: Path, *, is_small: bool) -> Iterator[Path]:
    """Write the pictures into a folder and yield the files."""
    for name, picture in taken:
        file = folder / f"{name}.png"
        file.write_bytes(make_small(picture) if is_small else picture)
        yield file


class Studio:
    """A browser in which one of each group is signed in."""

    def __init__(self, browser: Browser, address: str, clients: Mapping[str, Client]) -> None:
        self.browser, self.address, self.clients = browser, address, clients

    def page(self, width: str, scheme: Any, *, group: str = "Managers") -> Page:
        """Return a page of this width and scheme, without motion; of nobody for no group."""
        context = self.browser.new_context(
            viewport=VIEWPORTS[width],  # type: ignore[arg-type]
            color_scheme=scheme,
            reduced_motion="reduce",
            locale="en-GB",
        )
        if group:
            session = self.clients[group].cookies["sessionid"].value
            cookie = {"name": "sessionid", "value": session, "url": self.address}
            context.add_cookies([cookie])  # type: ignore[list-item]
        return context.new_page()

    def take_scenes(self) -> Iterator[tuple[str, bytes]]:
        """Yield name and picture of each scene, as much of it as the window shows."""
        for scene in SCENES:
            page = self.page("390" if scene.is_narrow else "1280", self.scheme_of(scene))
            page.goto(f"{self.address}/admin/{scene.path}")
            scene.steps(page)
            page.wait_for_load_state("networkidle")
            yield scene.name, page.screenshot(full_page=scene.is_long)
            page.context.close()

    @staticmethod
    def scheme_of(scene: Scene) -> str:
        return "dark" if scene.is_dark else "light"

    def take_pages(self, pages: Mapping[str, str]) -> Iterator[tuple[str, bytes]]:
        """Yield name and picture of each page at each width in each scheme, its whole length."""
        for width in VIEWPORTS:
            for scheme in SCHEMES:
                page = self.page(width, scheme)
                for name, path in pages.items():
                    page.goto(f"{self.address}{path}")
                    yield f"{name}-{width}-{scheme}", page.screenshot(full_page=True)
                page.context.close()

    def take_pressed(self) -> Iterator[tuple[str, bytes]]:
        """Yield the same of each page that only a press opens."""
        for width, scheme, scene in product(VIEWPORTS, SCHEMES, PRESSED):
            page = self.page(width, scheme, group=scene.group)
            page.set_default_timeout(MOST_MILLISECONDS)
            page.goto(f"{self.address}/admin/{scene.path}")
            try:
                scene.steps(page)
                page.locator(scene.shows).first.wait_for()
                yield f"{scene.name}-{width}-{scheme}", page.screenshot(full_page=True)
            except TookTooLong:
                print(
                    f"{scene.name} has no picture: the club has no such row, or DEBUG its own page."
                )
            page.context.close()
