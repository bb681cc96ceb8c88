"""The pictures in the README: each is of a page that there is."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.console.pictures import PICTURES
from tests.console.test_attacks import PAGES

ROOT = Path(__file__).parent.parent.parent
FOLDER = ROOT / "docs" / "pictures"
MOST_BYTES = 150_000


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_is_of_a_page_that_there_is(name: str) -> None:
    assert PICTURES[name].page in {page.path for page in PAGES if "GET" in page.methods}
    assert (FOLDER / f"{name}.png").stat().st_size <= MOST_BYTES
    assert f"docs/pictures/{name}.png" in (ROOT / "README.md").read_text()


def test_no_other_picture_lies_there() -> None:
    assert {path.stem for path in FOLDER.iterdir()} == set(PICTURES)
