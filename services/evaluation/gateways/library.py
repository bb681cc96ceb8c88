"""The instruments' definition files."""

from __future__ import annotations

import json
from pathlib import Path

from services.evaluation.domain.instruments import Instrument, read_definition

FOLDER = Path(__file__).parent.parent / "instruments"


class NoSuchInstrument(LookupError):
    """There is no definition of this instrument, or not in this version."""


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
