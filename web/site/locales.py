"""Where the site's gettext catalogues lie (.po files, read without compiling them)."""

from __future__ import annotations

from pathlib import Path

from web.shared.languages import ENGLISH, LANGUAGES, Translations, read_catalogue

LOCALE = Path(__file__).parent / "locale"


def po_file(language: str) -> Path:
    return LOCALE / language / "LC_MESSAGES" / "site.po"


def read_catalogues() -> dict[str, Translations]:
    """The translations into every language but English, in which the texts are written."""
    return {language: read_catalogue(po_file(language)) for language in LANGUAGES if language != ENGLISH}
