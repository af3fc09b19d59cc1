"""The README shows every picture there is, and says of every package why it is needed."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def packages() -> list[str]:
    """Return the name of every package that the project asks for, its tools among them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = project["dependencies"] + sum(project["optional-dependencies"].values(), [])
    return [re.split(r"[\[~<>=! ]", each)[0] for each in asked]


def explained() -> set[str]:
    """Return the packages of the table of dependencies."""
    table = README.partition("## Why each dependency")[2]
    cells = re.findall(r"^\| ([^|]+) \|", table, flags=re.MULTILINE)
    return {name.strip() for cell in cells for name in cell.split(",")} - {"package"}


def test_it_says_of_every_package_why_and_of_no_other() -> None:
    assert explained() == set(packages())


@pytest.mark.parametrize(
    "picture", sorted((ROOT / "docs" / "images").iterdir()), ids=lambda picture: picture.name
)
def test_every_picture_stands_in_it(picture: Path) -> None:
    assert f"docs/images/{picture.name}" in README


def test_every_place_of_the_guide_that_it_leads_to_is_there() -> None:
    guide = (ROOT / "docs" / "staff-guide.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## (.+)$", guide, flags=re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings}

    linked = re.findall(r"docs/staff-guide\.md#([\w-]+)", README)

    assert set(linked) == anchors
