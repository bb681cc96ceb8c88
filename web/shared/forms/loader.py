"""Reads definition files. All problems in them are reported together at the start, each with its place.

YAML's guessing of types (`no` for false, `1.0` for a number) is turned off: every value is read as text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from web.shared.forms.definition import (
    ALWAYS,
    CHOSEN,
    Choice,
    Condition,
    Definition,
    Kind,
    Page,
    Question,
    Setting,
    Theirs,
)
from web.shared.forms.problems import InvalidDefinitions, Place, Problems
from web.shared.forms.related import related
from web.shared.forms.validation import check

LOADER = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
"""libyaml's loader if it is installed: five times as fast, and every version of every form is read at the start."""

SHIPPED = Path(__file__).parent / "definitions"
DEFINITION_KEYS = ("name", "version", "title", "hint", "order", "exit", "theirs_when", "settings", "pages", "more")
PAGE_KEYS = ("id", "title", "intro", "panel", "when", "unless", "questions", "section", "theirs")
QUESTION_KEYS = (
    "id",
    "kind",
    "label",
    "hint",
    "optional",
    "fills",
    "choices",
    "when",
    "unless",
    "least",
    "most",
    "missing",
    "invalid",
    "unsure_counts_as",
    "text_version",
    "none",
    "otherwise",
    "theirs",
)
CHOICE_KEYS = ("value", "label", "hint", "alone", "when", "unless", "theirs")
THEIRS_KEYS = ("title", "intro", "label", "hint", "missing", "invalid", "none", "otherwise")
"""The texts that may differ if somebody fills in the form for another person."""

EXITS = ("prominent", "quiet")


def read_definitions(own: Path | None = None) -> dict[str, Definition]:
    """The newest version of each route's definition, in the order that they are offered. Raises InvalidDefinitions."""
    newest: dict[str, Definition] = {}
    for definition in sorted(read_every_version(own), key=lambda candidate: candidate.version):
        newest[definition.name] = definition
    return dict(sorted(newest.items(), key=lambda item: (item[1].order, item[0])))


def read_every_version(own: Path | None = None) -> list[Definition]:
    """All definitions, including old versions that nobody fills in any more, whose answers still appear in exports.

    A file in the charity's `own` folder replaces a shipped one of the same name, definition or part.
    Raises InvalidDefinitions.
    """
    folders = [folder for folder in (own, SHIPPED) if folder is not None]
    files = {path.name: path for folder in reversed(folders) for path in sorted(folder.glob("*.yaml"))}
    problems = Problems()
    found = [_Reader(path, folders, problems).definition() for path in files.values()]
    if not files:
        problems.add(Place(str(folders[0])), "There is no definition here; put in at least one, such as self.v1.yaml")
    if problems:
        raise InvalidDefinitions(problems)
    return [definition for definition in found if definition]


def read_version(name: str, version: int, own: Path | None = None) -> Definition | None:
    """A definition as it was in one version, if its file is still there and can be read."""
    for folder in (folder for folder in (own, SHIPPED) if folder is not None):
        path = folder / f"{name}.v{version}.yaml"
        if path.is_file():
            return _Reader(path, [folder for folder in (own, SHIPPED) if folder is not None], Problems()).definition()
    return None


def _in_sections(pages: list[Page]) -> tuple[Page, ...]:
    """Every page with the section that it is in: that of the page before, unless it names another."""
    section, found = "", []
    for page in pages:
        section = page.section or section
        found.append(replace(page, section=section))
    return tuple(found)


class _Reader:
    """One definition file. What is wrong goes into `problems`."""

    def __init__(self, path: Path, folders: list[Path], problems: Problems) -> None:
        self._path, self._folders, self._problems = path, folders, problems
        self._file = Place(path.name)

    def definition(self) -> Definition | None:
        """None if it is not even a definition; the problems then say why."""
        before = len(self._problems)
        content = self._load(self._path)
        if len(self._problems) > before:
            return None
        data = self._mapping(content, DEFINITION_KEYS, self._file)
        pages = [page for item in self._list(data, "pages", self._file) for page in self._pages(item)]
        more = [page for item in self._list(data, "more", self._file) for page in self._pages(item)]
        definition = Definition(
            name=self._text(data, "name", self._file),
            version=self._number(data, "version", self._file, needed=True) or 0,
            title=self._text(data, "title", self._file),
            hint=str(data.get("hint", "")),
            order=self._number(data, "order", self._file) or 0,
            prominent_exit=self._one_of(data, "exit", EXITS, self._file) == "prominent",
            settings=tuple(self._setting(setting) for setting in self._list(data, "settings", self._file)),
            theirs_when=self._theirs_when(data),
            pages=_in_sections([*pages, *(replace(page, more=True) for page in more)]),
        )
        if self._path.name != f"{definition.name}.v{definition.version}.yaml":
            wanted = f"{definition.name}.v{definition.version}.yaml"
            self._problems.add(self._file, f"Call the file {wanted}, after its name and version, or change those")
        if len(self._problems) > before:
            return None
        check(definition, self._file, self._problems)
        return related(definition)

    def _load(self, path: Path) -> Any:
        try:
            return yaml.load(path.read_text(encoding="utf-8"), LOADER)  # noqa: S506 - makes text, lists and mappings only
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            line = getattr(getattr(error, "problem_mark", None), "line", None)
            where = "" if line is None else f" near line {line + 1}"
            self._problems.add(
                Place(path.name), f"This is not YAML{where}; look at indentation, colons and quotes there"
            )
            return None

    def _pages(self, data: Any) -> list[Page]:
        if not isinstance(data, Mapping) or "include" not in data:
            return [self._page(data)]
        name = f"parts/{data['include']}.yaml"
        path = next((folder / name for folder in self._folders if (folder / name).is_file()), None)
        if path is None:
            self._problems.add(self._file, f"There is no part {name} to include; correct its name or add the file")
            return []
        part = _Reader(path, self._folders, self._problems)
        content = self._load(path)
        if not isinstance(content, list):
            self._problems.add(Place(name), "A part is a list of pages; start each with a dash")
            return []
        when = self._condition(data, self._file)
        return [replace(page, when=page.when.and_also(when)) for page in map(part._page, content)]

    def _theirs_when(self, data: Mapping[str, Any]) -> Condition | None:
        if data.get("theirs_when") == "always":
            return ALWAYS
        answers = self._answers(data, "theirs_when", self._file)
        return Condition(answers) if answers else None

    def _page(self, data: Any) -> Page:
        given = data if isinstance(data, Mapping) else {}
        place = self._file.page(str(given.get("id", "?")))
        data = self._mapping(data, PAGE_KEYS, place)
        return Page(
            id=self._text(data, "id", place),
            title=str(data.get("title", "")),
            intro=tuple(map(str, self._list(data, "intro", place))),
            panel=str(data.get("panel", "")),
            when=self._condition(data, place),
            section=str(data.get("section", "")),
            theirs=self._theirs(data, place),
            questions=tuple(self._question(question, place) for question in self._list(data, "questions", place)),
        )

    def _question(self, data: Any, page: Place) -> Question:
        given = data if isinstance(data, Mapping) else {}
        place = page.question(str(given.get("id", "?")))
        data = self._mapping(data, QUESTION_KEYS, place)
        kind = Kind(self._one_of(data, "kind", tuple(Kind), place) or Kind.TEXT)
        if ("choices" in data) != (kind in CHOSEN):
            self._problems.add(place, f"A question of kind {kind} {'needs' if kind in CHOSEN else 'has no'} choices")
        return Question(
            id=self._text(data, "id", place),
            kind=kind,
            label=self._text(data, "label", place),
            hint=str(data.get("hint", "")),
            optional=self._flag(data, "optional", place),
            fills=str(data.get("fills", "")),
            choices=tuple(self._choice(choice, place) for choice in self._list(data, "choices", place)),
            when=self._condition(data, place),
            least=self._number(data, "least", place),
            most=self._number(data, "most", place),
            missing=str(data.get("missing", "")),
            invalid=str(data.get("invalid", "")),
            unsure_counts_as=str(data.get("unsure_counts_as", "")),
            text_version=self._number(data, "text_version", place) or 1,
            none=str(data.get("none", "")),
            otherwise=str(data.get("otherwise", "")),
            theirs=self._theirs(data, place),
        )

    def _choice(self, data: Any, place: Place) -> Choice:
        data = self._mapping(data, CHOICE_KEYS, place)
        return Choice(
            value=self._text(data, "value", place),
            label=self._text(data, "label", place),
            hint=str(data.get("hint", "")),
            alone=self._flag(data, "alone", place),
            when=self._condition(data, place),
            theirs=self._theirs(data, place),
        )

    def _setting(self, data: Any) -> Setting:
        data = self._mapping(data, ("field", "value", "when", "unless"), self._file)
        field, value = self._text(data, "field", self._file), self._text(data, "value", self._file)
        return Setting(field, value, self._condition(data, self._file))

    def _theirs(self, data: Mapping[str, Any], place: Place) -> Theirs:
        texts = self._mapping(data.get("theirs", {}), THEIRS_KEYS, place)
        return tuple(
            (key, tuple(map(str, text)) if isinstance(text, list) else str(text)) for key, text in texts.items()
        )

    def _condition(self, data: Mapping[str, Any], place: Place) -> Condition:
        return Condition(self._answers(data, "when", place), self._answers(data, "unless", place))

    def _answers(self, data: Mapping[str, Any], key: str, place: Place) -> tuple[tuple[str, frozenset[str]], ...]:
        """Of a condition: for each question the values that it asks for."""
        found = data.get(key, {})
        if not isinstance(found, Mapping):
            self._problems.add(
                place, f"Write a condition as `{key}: {{question: value}}` or `{{question: [value, value]}}`"
            )
            return ()
        return tuple(
            (str(name), frozenset(map(str, values if isinstance(values, list) else [values])))
            for name, values in found.items()
        )

    def _mapping(self, data: Any, known: tuple[str, ...], place: Place) -> Mapping[str, Any]:
        if not isinstance(data, Mapping):
            self._problems.add(place, f"Here belongs a mapping with {', '.join(known)}")
            return {}
        for key in sorted(set(data) - set(known)):
            self._problems.add(place, f"Nobody knows the key {key!r}; known are {', '.join(known)}")
        return data

    def _list(self, data: Mapping[str, Any], key: str, place: Place) -> list[Any]:
        found = data.get(key, [])
        if isinstance(found, list):
            return found
        self._problems.add(place, f"{key!r} is a list; start each line of it with a dash")
        return []

    def _text(self, data: Mapping[str, Any], key: str, place: Place) -> str:
        found = data.get(key)
        if not isinstance(found, str) or not found.strip():
            self._problems.add(place, f"The text {key!r} is missing; write it")
            return "?"
        return found

    def _number(self, data: Mapping[str, Any], key: str, place: Place, *, needed: bool = False) -> int | None:
        found = data.get(key)
        if found is None and not needed:
            return None
        if not isinstance(found, str) or not found.isdecimal():
            self._problems.add(place, f"{key!r} is a whole number; write one")
            return None
        return int(found)

    def _flag(self, data: Mapping[str, Any], key: str, place: Place) -> bool:
        return self._one_of(data, key, ("true", "false"), place, "false") == "true"

    def _one_of(
        self, data: Mapping[str, Any], key: str, known: tuple[str, ...], place: Place, otherwise: str | None = None
    ) -> str | None:
        found = data.get(key, otherwise)
        if found not in known:
            self._problems.add(place, f"{key!r} is one of {', '.join(known)}; choose one")
            return None
        return str(found)
