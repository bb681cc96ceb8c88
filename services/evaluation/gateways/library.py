"""The instruments' definition files, and the files with their wording."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from services.evaluation.domain.instruments import Instrument, read_definition
from services.evaluation.domain.wording import InvalidWording, Wording, read_wording

FOLDER = Path(__file__).parent.parent / "instruments"
WORDING = Path(__file__).parent.parent / "wording"
ENGLISH = "en"


class NoSuchInstrument(LookupError):
    """There is no definition of this instrument, or not in this version."""


class InvalidWordings(Exception):
    """Wording files that can't be used; each is named, with what is wrong."""


class Library:
    """Every version of every instrument that has a definition in one of `folders`."""

    def __init__(self, *folders: Path) -> None:
        files = (file for folder in folders for file in sorted(folder.glob("*.json")))
        definitions = (read_definition(json.loads(file.read_text())) for file in files)
        self._instruments = {(one.code, one.version): one for one in definitions}

    def get(self, code: str, version: int) -> Instrument:
        """Raises NoSuchInstrument."""
        try:
            return self._instruments[code, version]
        except KeyError:
            raise NoSuchInstrument(f"there is no definition of {code}, version {version}") from None

    def newest(self, code: str) -> Instrument:
        """Raises NoSuchInstrument."""
        versions = [version for known, version in self._instruments if known == code]
        if not versions:
            raise NoSuchInstrument(f"there is no definition of {code}")
        return self.get(code, max(versions))

    def codes(self) -> list[str]:
        """The instruments that there are, in whatever versions."""
        return sorted({code for code, _ in self._instruments})


class Wordings:
    """The wording of instruments, one file for each version and language. A later folder goes before an earlier one.

    Raises InvalidWordings.
    """

    def __init__(self, library: Library, *folders: Path) -> None:
        self._wordings: dict[tuple[str, int, str], Wording] = {}
        problems = [problem for folder in folders for problem in self._load(library, folder)]
        if problems:
            raise InvalidWordings("\n".join(problems))

    def find(self, instrument: Instrument, language: str) -> Wording | None:
        """In this language or else in English; None where the charity has supplied none."""
        wanted = ((instrument.code, instrument.version, one) for one in (language, ENGLISH))
        return next((self._wordings[key] for key in wanted if key in self._wordings), None)

    def _load(self, library: Library, folder: Path) -> Iterator[str]:
        if not folder.is_dir():
            yield f"{folder} is no folder"
        for file in sorted(folder.glob("*.json")):
            try:
                data: Any = json.loads(file.read_text())
                instrument = library.get(data["instrument"], data["version"])
                wording = read_wording(data, instrument)
            except (NoSuchInstrument, InvalidWording) as error:
                yield f"{file.name}: {error}"
            except (ValueError, KeyError, TypeError):
                yield f"{file.name}: not a JSON object that says its instrument and version"
            else:
                self._wordings[instrument.code, instrument.version, wording.language] = wording
