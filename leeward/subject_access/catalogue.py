"""Updates the catalogues of the export's texts, or checks them: `python -m leeward.subject_access.catalogue [--check]`.

The services' own code has the words for what they hold, and doesn't mark them for translation. So every string in
SOURCES that begins with a capital or a number counts as a text for people, unless it is a docstring or in a `raise`.
"""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file

from leeward.subject_access.languages import po_file
from web.shared.languages import ENGLISH, LANGUAGES
from web.site.catalogue import in_step, write_or_check

ROOT = Path(__file__).parents[2]
SOURCES = (
    "services/*/subject_access.py",
    "contracts/labels.py",
    "chassis/subject_access.py",
    "services/intake/application/disclosure.py",
    "services/intake/application/labels.py",
    "leeward/subject_access/wording.py",
)
POLICY = "contracts/policy/retention-v1.toml"
PAGE = "leeward/subject_access/page.html"
TEXT = re.compile(r"[A-Z]|\d+ ")


def template() -> Catalog:
    """Every text that an export may contain, and where it stands."""
    catalogue = Catalog(project="Leeward", charset="utf-8")
    for path in sorted(path for pattern in SOURCES for path in ROOT.glob(pattern)):
        for text in _texts_in(ast.parse(path.read_text())):
            catalogue.add(text, locations=[(str(path.relative_to(ROOT)), 0)])
    for term in tomllib.loads((ROOT / POLICY).read_text())["term"]:
        catalogue.add(term["why"], locations=[(POLICY, 0)])
    found = extract_from_file("jinja2.ext:babel_extract", ROOT / PAGE, keywords={"_": None, "plain": None})
    for _, message, _, _ in found:
        catalogue.add(str(message), locations=[(PAGE, 0)])
    return catalogue


def updated(language: str) -> str:
    return in_step(po_file(language), language, template())


def _texts_in(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Raise() | ast.JoinedStr() | ast.Expr(value=ast.Constant()):
            return
        case ast.Constant(value=str(text)) if TEXT.match(text):
            yield text
    for inner in ast.iter_child_nodes(node):
        yield from _texts_in(inner)


if __name__ == "__main__":
    translated = {po_file(language): updated(language) for language in LANGUAGES if language != ENGLISH}
    sys.exit(write_or_check(translated, check="--check" in sys.argv[1:]))
