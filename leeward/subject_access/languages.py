"""Translates an export: the charity's words into the reader's language; what people wrote stays as it is."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from pathlib import Path

from markupsafe import Markup

from chassis.subject_access import written
from contracts.commands.subject import Fact
from contracts.london import LONDON
from web.shared.languages import Translations, Translator, read_catalogue
from web.site.locales import read_catalogues


class Language(StrEnum):
    """The languages of an export's page: those of the site."""

    ENGLISH = "en"
    WELSH = "cy"


LOCALE = Path(__file__).parent / "locale"
BETWEEN_LABELS, BETWEEN_VALUES = Markup(" / "), Markup("; ")
"""Separators: between the labels of several questions with one answer, and between several answers to one question."""


def po_file(language: str) -> Path:
    return LOCALE / language / "LC_MESSAGES" / "export.po"


def translator(language: Language) -> Translator:
    """A translator with the export's own catalogue and the site's, which has the forms' questions."""
    return Translator(language, None if language is Language.ENGLISH else _translations(language))


class Reader:
    """Renders labels, values and times in the language of `says`, which records what had no translation."""

    def __init__(self, says: Translator) -> None:
        self.says = says

    def what(self, label: str) -> str:
        return self._each(label, BETWEEN_LABELS)

    def value(self, fact: Fact) -> str:
        """A fact's value: translated if it is the charity's wording, written out if it is a time, otherwise unchanged.

        Services send some wordings without a code. Such a value counts as the charity's if no form asked for it and the
        catalogue has the same text.
        """
        if self.says.language == Language.ENGLISH or fact.value == str(BETWEEN_VALUES).join(fact.exactly):
            return fact.value
        if not fact.exactly:
            return fact.value if fact.asked or not self.says.knows(fact.value) else self.says.plain(fact.value)
        if moment := _moment(fact.exactly[0]):
            return self.written(moment)
        return self._each(fact.value, BETWEEN_VALUES)

    def written(self, moment: date) -> str:
        """A day, or a time in London: `21 Tachwedd 2026, 15.58`."""
        if not isinstance(moment, datetime):
            return f"{moment.day} {self.says.plain(f'{moment:%B}')} {moment.year}"
        if self.says.language == Language.ENGLISH:
            return written(moment)
        local = moment.astimezone(LONDON)
        return f"{self.written(local.date())}, {local:%H.%M}"

    def _each(self, text: str, between: Markup) -> str:
        """Translates one text of the catalogue, or several that are joined by `between`."""
        parts = [text] if self.says.knows(text) else text.split(between)
        return between.join(self.says(part) for part in parts)


def _translations(language: str) -> Translations:
    site, own = read_catalogues()[language], read_catalogue(po_file(language))
    return Translations({**site.texts, **own.texts}, (site.unread - own.texts.keys()) | own.unread)


def _moment(stored: str) -> date | None:
    for kind in (date, datetime):
        try:
            return kind.fromisoformat(stored)
        except ValueError:
            continue
    return None
