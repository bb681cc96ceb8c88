"""The languages of what the public meets, and their gettext catalogues (.po files, read without compiling them)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from babel.messages.pofile import read_po
from markupsafe import Markup

from web.shared.texts import Words

ENGLISH, WELSH = "en", "cy"
LANGUAGES: Mapping[str, str] = {ENGLISH: "English", WELSH: "Cymraeg"}
NOTICE = '<p class="notice" lang="en">{}</p>'
MISSED = "Some of this page is not in Welsh yet."
UNREAD = "No Welsh speaker has checked the Welsh on this page yet. Where it is unclear, the English counts."


def language_of(path: str) -> str:
    """The language of a path, whether or not there is such a page."""
    first = path.split("/")[1] if path.startswith("/") else ""
    return first if first in LANGUAGES else ENGLISH


@dataclass(frozen=True)
class Translations:
    """The translations into one language. `unread` are those that no speaker has read yet (`fuzzy` in gettext)."""

    texts: Mapping[str, str]
    unread: frozenset[str] = frozenset()


def read_catalogue(path: Path) -> Translations:
    with path.open("rb") as file:
        messages = [message for message in read_po(file) if message.id and message.string]
    return Translations(
        texts={str(message.id): str(message.string) for message in messages},
        unread=frozenset(str(message.id) for message in messages if message.fuzzy),
    )


class Translator:
    """Translates one page. `missed`: a text had no translation; `unread`: a translation was read by no speaker."""

    def __init__(self, language: str, translations: Translations | None) -> None:
        self.language = language
        self._translations = translations
        self.missed = self.unread = False

    def __call__(self, text: str, **values: Any) -> str | Markup:
        """The text in the page's language with `%(name)s` filled in, or in English and marked as that."""
        translated = self.plain(text, **values)
        if not text or self._translations is None or self.knows(text):
            return translated
        return Markup('<span lang="en">{}</span>').format(translated)

    def plain(self, text: str, **values: Any) -> str:
        """The same without markup, for titles and attributes."""
        if not text:
            return ""
        if isinstance(text, Words):
            filled = {
                name: self.plain(value) if isinstance(value, Words) else value for name, value in text.values.items()
            }
            values = filled | values
        translated = text if self._translations is None else self._translations.texts.get(text, "")
        if not translated:
            self.missed = True
            translated = text
        elif self._translations is not None and text in self._translations.unread:
            self.unread = True
        return translated % values if values else translated

    def knows(self, text: str) -> bool:
        return self._translations is not None and text in self._translations.texts

    def notice(self) -> str:
        """An English notice, as HTML, that the translation is incomplete or unread; empty if it is neither."""
        said = [text for text, applies in ((MISSED, self.missed), (UNREAD, self.unread)) if applies]
        return NOTICE.format(" ".join(said)) if said else ""
