"""Updates the gettext catalogues from the texts: `python -m web.site.catalogue`; `--check` only names stale ones.

Texts are marked with `_(…)`, `plain(…)` and `N_(…)` in code and templates; all texts of form definitions are included.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from web.shared.forms.definition import Choice, Definition, Page, Question
from web.shared.forms.loader import read_every_version
from web.shared.languages import ENGLISH, LANGUAGES
from web.site.helplines import read_helplines
from web.site.locales import po_file
from web.site.retention import read_terms

FOLDER = Path(__file__).parent
METHODS = [("**.py", "python"), ("templates/**.html", "jinja2.ext:babel_extract")]
# Deeper there, staff's pages lie.
SHARED = [("*.py", "python"), ("forms/*.py", "python"), ("templates/*.html", "jinja2.ext:babel_extract")]
KEYWORDS = {"_": None, "N_": None, "plain": None}


def template() -> Catalog:
    """Every text that is shown to people, and where it stands."""
    catalogue = Catalog(project="Leeward", charset="utf-8")
    options = {pattern: {"encoding": "utf-8", "newstyle_gettext": "false"} for pattern, _ in (METHODS[1], SHARED[2])}
    for folder, methods in ((FOLDER.parent / "shared", SHARED), (FOLDER, METHODS)):
        for name, _, message, _, _ in extract_from_dir(folder, methods, options, keywords=KEYWORDS):
            if isinstance(message, str) and message:
                catalogue.add(message, locations=[(f"web/{folder.name}/{name}", 0)])
    for line in read_helplines():
        catalogue.add(line.when, locations=[("helplines", 0)])
        catalogue.add(line.text, locations=[("helplines", 0)])
    for term in read_terms():
        catalogue.add(term.why, locations=[("retention", 0)])
    for definition in read_every_version():  # an export shows answers below the question in the version that was asked
        for text in texts_of(definition):
            catalogue.add(text, locations=[(f"form {definition.name}", 0)])
    return catalogue


def texts_of(thing: Definition | Page | Question | Choice) -> Iterator[str]:
    """Everything in a definition that people read."""
    for name in ("title", "section", "label", "hint", "missing", "invalid", "none", "otherwise"):
        if getattr(thing, name, ""):
            yield getattr(thing, name)
    yield from getattr(thing, "intro", ())
    for _, text in getattr(thing, "theirs", ()):
        yield from (text,) if isinstance(text, str) else text
    for name in ("pages", "questions", "choices"):
        if name in {field.name for field in fields(thing)}:
            for inner in getattr(thing, name):
                yield from texts_of(inner)


def updated(language: str) -> str:
    """The language's catalogue as it should be.

    Translations stay with their flags (`fuzzy` until a speaker has read them), new texts are added without translation,
    and texts that are no longer used are dropped.
    """
    return in_step(po_file(language), language, template())


def in_step(path: Path, language: str, wanted: Catalog) -> str:
    """A catalogue with exactly the wanted texts, with the translations that the file at `path` has already."""
    old = read_po(io.BytesIO(path.read_bytes()), locale=language) if path.exists() else Catalog(locale=language)
    new = Catalog(locale=language, project="Leeward", charset="utf-8", header_comment=f"# {LANGUAGES[language]}")
    for message in sorted(wanted, key=lambda message: str(message.id)):
        if message.id:
            before = old.get(message.id)
            new.add(message.id, before.string if before else "", flags=before.flags if before else ())
    return _as_text(new)


def _as_text(catalogue: Catalog) -> str:
    written = io.BytesIO()
    write_po(written, catalogue, width=0, omit_header=True)
    header = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n'
    return f"{header}\n{written.getvalue().decode()}".rstrip() + "\n"


def write_or_check(catalogues: Mapping[Path, str], *, check: bool) -> int:
    """Writes the catalogues that have changed. With `check` only names them, and returns 1 if there are any."""
    stale = {path: text for path, text in catalogues.items() if not path.exists() or path.read_text() != text}
    for path, text in stale.items():
        if check:
            print(f"{path.name} is out of date: run `make docs`", file=sys.stderr)  # noqa: T201
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    return 1 if stale and check else 0


if __name__ == "__main__":
    translated = {po_file(language): updated(language) for language in LANGUAGES if language != ENGLISH}
    sys.exit(write_or_check(translated, check="--check" in sys.argv[1:]))
