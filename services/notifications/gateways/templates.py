"""The wording of messages: Jinja2 templates in `<folder>/<language>/<name>.txt`, the subject on the first line.

Each text is written once. Its HTML is the same text laid out by `layout.html`, so that the two never differ.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jinja2
from jinja2 import Environment, FileSystemLoader, StrictUndefined, meta

from services.notifications.gateways import formats, staff_labels

ENGLISH = "en"
SUBJECT = "Subject: "
IN_ENGLISH = "in_english"
"""The template that says, in another language, that the message isn't translated into it yet."""

_LINK = re.compile(r"(https?://\S+)")
_ROW = re.compile(r"  (\S[^:]*):\s+(.*)")


class InvalidTemplates(Exception):
    """Templates that are missing, can't be read, or use a value that they are not given; the message names each."""


@dataclass(frozen=True)
class Text:
    """A rendered message. `version` identifies the wording: it changes with every change of the template."""

    subject: str
    body: str
    language: str
    version: str


@dataclass(frozen=True)
class Block:
    """A paragraph, as texts of which some are links; or rows of a label and a value."""

    parts: list[tuple[str, bool]] = field(default_factory=list)
    rows: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class _Source:
    template: jinja2.Template
    language: str
    version: str


class Templates:
    """All templates of a folder, compiled once. Raises InvalidTemplates.

    `known` says by name which templates there must be, and which values each may use; `texts` are those that are no
    e-mails and need no subject.
    """

    def __init__(self, folder: Path, known: Mapping[str, Set[str]], *, texts: Set[str] = frozenset()) -> None:
        self._languages = tuple(sorted(path.name for path in folder.iterdir() if path.is_dir()))
        self._sources: dict[tuple[str, str], _Source] = {}
        problems = [problem for language in self._languages for problem in self._load(folder, language, known, texts)]
        problems += [f"{ENGLISH}/{name}.txt is missing" for name in known if (ENGLISH, name) not in self._sources]
        try:
            self._layout = _environment(folder, ENGLISH, autoescape=True).get_template("layout.html")
        except jinja2.TemplateError as error:
            problems.append(f"layout.html can't be read: {error.message}")
        if problems:
            raise InvalidTemplates("\n".join(problems))

    def render(self, name: str, values: Mapping[str, Any], *, language: str = ENGLISH) -> Text:
        """The message in this language, or else in English, which then says so if others are there in the language.

        Raises jinja2's UndefinedError for a value that is missing.
        """
        source = self._sources.get((language, name))
        notice = None if source else self._sources.get((language, IN_ENGLISH))
        source = source or self._sources[ENGLISH, name]
        written = source.template.render(values)
        subject = ""
        if written.startswith(SUBJECT):
            head, _, written = written.partition("\n")
            subject = head.removeprefix(SUBJECT).strip()
        body = written.strip()
        if notice:
            body = f"{notice.template.render().strip()}\n\n{body}"
        return Text(subject, body + "\n", source.language, source.version)

    def page(self, text: Text) -> str:
        """The text as HTML, with nothing in it that a reader would have to load from elsewhere."""
        return self._layout.render(subject=text.subject, language=text.language, blocks=list(_blocks(text.body)))

    def page_in(self, language: str, address: str) -> str:
        """Where a page of the public site is in a language that letters are in: below `/<code>`, but for English."""
        if language == ENGLISH or language not in self._languages:
            return address
        parts = urlsplit(address)
        return parts._replace(path=f"/{language}{parts.path}").geturl()

    def versions(self, name: str) -> dict[str, str]:
        """The version of a template in each language that it is there in."""
        return {language: source.version for (language, found), source in self._sources.items() if found == name}

    def _load(self, folder: Path, language: str, known: Mapping[str, Set[str]], texts: Set[str]) -> Iterator[str]:
        """Compiles what is there in one language, and says what is wrong with it."""
        environment = _environment(folder / language, language)
        for path in sorted((folder / language).glob("*.txt")):
            name, source = path.stem, path.read_text()
            here = f"{language}/{path.name}"
            if name not in known and name != IN_ENGLISH:
                yield f"{here} is a template that nothing uses"
                continue
            try:
                source += _included(environment, source)
                unknown = meta.find_undeclared_variables(environment.parse(source)) - known.get(name, set())
                template = environment.get_template(path.name)
            except jinja2.TemplateNotFound as error:
                yield f"{here} includes {error}, which is missing"
                continue
            except jinja2.TemplateSyntaxError as error:
                yield f"{here}, line {error.lineno}: {error.message}"
                continue
            if unknown:
                yield f"{here} asks for {', '.join(sorted(unknown))}, which it is not given"
            if not source.startswith(SUBJECT) and name not in texts | {IN_ENGLISH}:
                yield f"{here} does not begin with '{SUBJECT}'"
            version = hashlib.sha256(source.encode()).hexdigest()[:8]
            self._sources[language, name] = _Source(template, language, version)


def _included(environment: Environment, source: str) -> str:
    """What a template takes out of others, which is part of its wording. Raises what reading templates does."""
    assert environment.loader
    names = sorted(name for name in meta.find_referenced_templates(environment.parse(source)) if name)
    return "".join(environment.loader.get_source(environment, name)[0] for name in names)


def _blocks(body: str) -> Iterator[Block]:
    for paragraph in re.split(r"\n\s*\n", body.strip("\n")):
        lines = paragraph.splitlines()
        if _ROW.fullmatch(lines[0]):
            yield Block(rows=_rows(lines))
        else:
            parts = _LINK.split(" ".join(line.strip() for line in lines))
            yield Block(parts=[(part, bool(number % 2)) for number, part in enumerate(parts) if part])


def _rows(lines: list[str]) -> list[tuple[str, str]]:
    """Labels and values; a line without a label goes on with the value before it."""
    rows: list[tuple[str, str]] = []
    for line in lines:
        match = _ROW.fullmatch(line)
        if match:
            rows.append((match[1], match[2]))
        else:
            label, value = rows.pop()
            rows.append((label, f"{value}\n{line.strip()}"))
    return rows


def _environment(folder: Path, language: str, *, autoescape: bool = False) -> Environment:
    # A text is no HTML: escaping would put &amp; into people's names. Its layout escapes it.
    environment = Environment(
        loader=FileSystemLoader(folder),
        autoescape=autoescape,  # noqa: S701
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,  # of what is included, so that a paragraph stays one
    )
    environment.filters.update(formats.FILTERS.get(language, formats.FILTERS[ENGLISH]))
    environment.filters.update({name: words.__getitem__ for name, words in staff_labels.FILTERS.items()})
    return environment
