"""The people of the demonstration, where something was shown before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from leeward.demo.actors import Actors

LETTER = "Subject: A few questions\n\nPlease open https://example.org/forms/{}\n"


def test_nobody_answers_letters_of_an_earlier_run_in_the_same_folder(tmp_path: Path) -> None:
    letters = tmp_path / "new"
    letters.mkdir()
    (letters / "1").write_text(LETTER.format("a" * 20))
    nobody: Any = None
    actors = Actors("", nobody, nobody, nobody, nobody, nobody, nobody, tmp_path)
    (letters / "2").write_text(LETTER.format("b" * 20))
    assert list(actors._new_links()) == ["b" * 20]
