"""The staff guide holds ten tasks, each in five steps with a picture and as a browser test."""

import ast
import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"
TESTS = Path(__file__).parent / "end_to_end" / "test_staff_tasks.py"


def tasks() -> dict[str, str]:
    """Return the text of each task by its heading."""
    parts = re.split(r"^## (.+)$", (DOCS / "staff-guide.md").read_text(), flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def name_of(heading: str) -> str:
    """Return a heading as the name of its test and of its picture."""
    return re.sub(r"\W+", "-", heading.lower().replace("'", "")).strip("-")


def test_its_ten_tasks_are_the_browsers_tests() -> None:
    functions = [each for each in ast.parse(TESTS.read_text()).body if hasattr(each, "name")]

    tested = [each.name for each in functions if each.name.startswith("test_")]

    assert tested == [f"test_{name_of(heading).replace('-', '_')}" for heading in tasks()]
    assert len(tested) == 10


@pytest.mark.parametrize("heading", tasks())
def test_a_task_has_five_steps_and_a_picture(heading: str) -> None:
    text = tasks()[heading]

    steps = re.findall(r"^(\d)\. ", text, flags=re.MULTILINE)

    assert steps == ["1", "2", "3", "4", "5"]
    [picture] = re.findall(r"!\[.+\]\((.+)\)", text)
    assert picture == f"images/{name_of(heading)}.png"
    assert (DOCS / picture).is_file()


def test_the_pictures_are_few_and_small() -> None:
    pictures = list((DOCS / "images").iterdir())

    assert len(pictures) == 12
    assert sum(picture.stat().st_size for picture in pictures) < 3_000_000
