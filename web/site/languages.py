"""The languages that the site speaks. Catalogues are gettext's, read as they lie in the repository."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from babel.messages.pofile import read_po
from markupsafe import Markup

LOCALE = Path(__file__).parent / "locale"
ENGLISH, WELSH = "en", "cy"
LANGUAGES: Mapping[str, str] = {ENGLISH: "English", WELSH: "Cymraeg"}


def po_file(language: str) -> Path:
    return LOCALE / language / "LC_MESSAGES" / "site.po"


def read_catalogues() -> dict[str, dict[str, str]]:
    """The translations into every language but English, in which the texts are written."""
    return {language: _read(po_file(language)) for language in LANGUAGES if language != ENGLISH}


def _read(path: Path) -> dict[str, str]:
    with path.open("rb") as file:
        catalogue = read_po(file)
    return {
        str(message.id): str(message.string)
        for message in catalogue
        if message.id and message.string and not message.fuzzy
    }


class Translator:
    """Translates for one page, and remembers whether something on it was not to be had in its language."""

    def __init__(self, language: str, catalogue: Mapping[str, str] | None) -> None:
        self.language = language
        self._catalogue = catalogue
        self.missed = False

    def __call__(self, text: str, **values: Any) -> str | Markup:
        """The text in the page's language with `%(name)s` filled in, or in English and marked as that."""
        translated = self.plain(text, **values)
        if not text or self._catalogue is None or text in self._catalogue:
            return translated
        return Markup('<span lang="en">{}</span>').format(translated)

    def plain(self, text: str, **values: Any) -> str:
        """The same without markup, for titles and attributes."""
        if not text:
            return ""
        translated = text if self._catalogue is None else self._catalogue.get(text, "")
        if not translated:
            self.missed = True
            translated = text
        return translated % values if values else translated
