"""An export in the language of whoever reads it: the charity's words are translated, what people wrote is not."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from pathlib import Path

from markupsafe import Markup

from chassis.subject_access import written
from contracts.commands.subject import Fact
from contracts.london import LONDON
from web.site.languages import Translations, Translator, read_catalogue, read_catalogues


class Language(StrEnum):
    """What an export's page can be had in: what the site speaks."""

    ENGLISH = "en"
    WELSH = "cy"


LOCALE = Path(__file__).parent / "locale"
BETWEEN_LABELS, BETWEEN_VALUES = Markup(" / "), Markup("; ")
"""What stands between the words of several questions for one answer, and between several answers to one question."""


def po_file(language: str) -> Path:
    return LOCALE / language / "LC_MESSAGES" / "export.po"


def translator(language: Language) -> Translator:
    """With the site's texts, in which the forms' questions are, and the export's own."""
    return Translator(language, None if language is Language.ENGLISH else _translations(language))


class Reader:
    """What is held, as one reader is told it. `says` remembers whether all of that was to be had in their language."""

    def __init__(self, says: Translator) -> None:
        self.says = says

    def what(self, label: str) -> str:
        return self._each(label, BETWEEN_LABELS)

    def value(self, fact: Fact) -> str:
        """As it was written, unless it is a moment or in the charity's own words.

        Services tell some of these without their code: whatever nobody typed into a form and stands in the
        catalogue word for word is taken for one.
        """
        if self.says.language == Language.ENGLISH or fact.value == str(BETWEEN_VALUES).join(fact.exactly):
            return fact.value
        if not fact.exactly:
            return fact.value if fact.asked or not self.says.knows(fact.value) else self.says.plain(fact.value)
        if moment := _moment(fact.exactly[0]):
            return self.written(moment)
        return self._each(fact.value, BETWEEN_VALUES)

    def written(self, moment: date) -> str:
        """A day, or a moment by the clock in London: `21 Tachwedd 2026, 15.58`."""
        if not isinstance(moment, datetime):
            return f"{moment.day} {self.says.plain(f'{moment:%B}')} {moment.year}"
        if self.says.language == Language.ENGLISH:
            return written(moment)
        local = moment.astimezone(LONDON)
        return f"{self.written(local.date())}, {local:%H.%M}"

    def _each(self, text: str, between: Markup) -> str:
        """One text of the catalogue, or several with this between them."""
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
