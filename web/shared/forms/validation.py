"""Validates a definition that was read: its names, conditions, and whether answers fit `HelpSubmission`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from marshmallow import ValidationError

from contracts.typed.postcodes import NO_FIXED_ABODE
from web.shared.forms.definition import (
    NO,
    UNSURE,
    YES,
    Answer,
    Answers,
    Condition,
    Definition,
    Kind,
    Page,
    Question,
)
from web.shared.forms.field_types import LONG_TEXT_CHARACTERS, TEXT_CHARACTERS, as_json
from web.shared.forms.problems import Place, Problems
from web.shared.forms.submission import NoSuchField, field_at, is_flag, setting_value

PANELS = ("", "emergency", "helplines", "course")
_ID = re.compile(r"[a-z0-9]+(_[a-z0-9]+)*")
_FILLED_BY_ITSELF = {
    "definition",
    "definition_version",
    "language",
    "suspected",
    "answers",
    "consent_texts",
    "consents.given_at",
    "consents.text_version",
}
NEEDED = (
    "route",
    "client_group",
    "postcode",
    "passphrase",
    "consents.processing",
    "consents.confidentiality_understood",
    "consents.pass_to_therapist",
)
"""Fields that intake needs of everybody: each definition must ask for them or set them."""

REACHED = {"contact.channel", "written_by.contact.channel"}
"""Fields that say how to reach somebody: each definition must fill one of them for everybody."""

_LONGEST = {Kind.TEXT: TEXT_CHARACTERS, Kind.LONG_TEXT: LONG_TEXT_CHARACTERS}
_EXAMPLES: dict[Kind, Answer] = {
    Kind.DATE: "1985-03-27",
    Kind.POSTCODE: "NP20 4UR",
    Kind.EMAIL: "name@example.org",
    Kind.TELEPHONE: "+441632960001;ext=1234567",
    Kind.PASSPHRASE: "harbour lantern",
    Kind.MONEY: "2500",
    Kind.MILES: "10",
}


def check(definition: Definition, file: Place, problems: Problems) -> None:
    """Adds every problem to `problems`."""
    _check_names(definition, file, problems)
    _check_conditions(definition, file, problems)
    for page in definition.pages:
        if page.panel not in PANELS:
            problems.add(file.page(page.id), f"There is no panel {page.panel!r}; choose from {', '.join(PANELS[1:])}")
        if len(page.questions) > 1 and not page.title:
            problems.add(file.page(page.id), "A page of several questions needs a title")
        for question in page.questions:
            _check_question(question, file.page(page.id).question(question.id), problems)
            if page.more and not question.optional:
                problems.add(file.page(page.id).question(question.id), "Below `more` every question is optional")
    for setting in definition.settings:
        _check_fit(setting.field, [setting_value(setting.field, setting.value)] if _exists(setting.field) else [],
                   f"the value {setting.value!r}", file, problems)  # fmt: skip
    _check_whole(definition, file, problems)


def _check_names(definition: Definition, file: Place, problems: Problems) -> None:
    seen: set[str] = set()
    for page in definition.pages:
        place = file.page(page.id)
        if not page.questions:
            problems.add(place, "A page asks at least one question; add one, or move the text to another page's intro")
        for id_, where in (
            (f"page {page.id}", place),
            *((question.id, place.question(question.id)) for question in page.questions),
        ):
            if id_ in seen:
                problems.add(where, f"The id {id_!r} is used twice; give one of them another")
            seen.add(id_)
            if not _ID.fullmatch(id_.removeprefix("page ")) or len(id_) > 60:
                problems.add(where, "An id is of small letters and digits joined by _; change it")


def _check_conditions(definition: Definition, file: Place, problems: Problems) -> None:
    """Conditions may only depend on questions of earlier pages, and on answers that those can have."""
    known: dict[str, set[str] | None] = {}
    later = {question.id for question in definition.questions()}
    for page in definition.pages:
        for place, condition in _conditions_of(page, file):
            _check_condition(condition, known, later, place, problems)
        known.update({question.id: _values_of(question) for question in page.questions})
    if definition.theirs_when:
        _check_condition(definition.theirs_when, known, later, file, problems)
    for setting in definition.settings:
        _check_condition(setting.when, known, later, file, problems)


def _conditions_of(page: Page, file: Place) -> Iterator[tuple[Place, Condition]]:
    place = file.page(page.id)
    yield place, page.when
    for question in page.questions:
        yield place.question(question.id), question.when
        for choice in question.choices:
            yield place.question(question.id), choice.when


def _check_condition(
    condition: Condition, known: dict[str, set[str] | None], later: set[str], place: Place, problems: Problems
) -> None:
    for name, values in condition.wanted + condition.unwanted:
        if name not in known:
            why = "comes later or on the same page; move it to an earlier page" if name in later else "is not asked"
            problems.add(place, f"The condition is on {name!r}, which {why}")
            continue
        possible = known[name]
        if possible is None:
            problems.add(
                place, f"The condition is on {name!r}, which has no choices; conditions need a choice or yes/no"
            )
        for value in sorted(values - (possible or values)):
            problems.add(
                place, f"The condition asks for {name!r} to be {value!r}, which it can't be; correct the value"
            )


def _values_of(question: Question) -> set[str] | None:
    if question.kind in (Kind.CHOICE, Kind.SEVERAL):
        return {choice.value for choice in question.choices}
    if question.kind in (Kind.YES_NO, Kind.CONSENT):
        return {YES, NO}
    if question.otherwise:
        return {NO_FIXED_ABODE}
    return {YES, NO, UNSURE} if question.kind is Kind.YES_NO_UNSURE else None


def _check_question(question: Question, place: Place, problems: Problems) -> None:
    values = [choice.value for choice in question.choices]
    for value in sorted({value for value in values if values.count(value) > 1}):
        problems.add(place, f"The choice {value!r} is there twice; remove one")
    if question.choices and not any(choice.when.is_always for choice in question.choices):
        problems.add(place, "Every choice has a condition, so there may be none; leave one without")
    if question.unsure_counts_as not in ("", YES, NO):
        problems.add(place, "'unsure_counts_as' is yes or no; choose one")
    if question.otherwise and question.kind is not Kind.POSTCODE:
        problems.add(place, "'otherwise' is for postcodes; leave it out")
    if question.fills:
        _check_field(question, place, problems)


def _check_field(question: Question, place: Place, problems: Problems) -> None:
    """Checks that the field which the question fills exists, and accepts every possible answer."""
    field = question.fills
    if field in _FILLED_BY_ITSELF:
        problems.add(place, f"{field!r} is filled by the site itself; leave `fills` out")
        return
    if not _exists(field):
        problems.add(place, f"There is no field {field!r} in contracts/sealed.py; correct it or leave it out")
        return
    flag = is_flag(field)
    if flag and question.kind is Kind.YES_NO_UNSURE and not question.unsure_counts_as:
        problems.add(place, f"{field!r} is true or false; say with 'unsure_counts_as' what not sure means")
    elif flag and question.kind not in (Kind.YES_NO, Kind.YES_NO_UNSURE, Kind.CONSENT):
        problems.add(place, f"{field!r} is true or false; ask with the kind yes_no or consent")
    else:
        answers = [as_json(question, answer, flag=flag) for answer in _possible_answers(question)]
        _check_fit(field, answers, f"an answer of kind {question.kind}", place, problems)


def _possible_answers(question: Question) -> list[Answer]:
    """Answers at the question's limits, to try whether the field accepts them."""
    if question.kind in _LONGEST:
        return ["x" * (question.most or _LONGEST[question.kind])]
    if question.kind is Kind.NUMBER:
        return [str(question.least or 0), str(999_999 if question.most is None else question.most)]
    if question.kind is Kind.SEVERAL:
        return [tuple(choice.value for choice in question.choices)]
    values = _values_of(question)
    return sorted(values) if values is not None else [_EXAMPLES[question.kind]]


def _check_fit(path: str, values: list[Any], what: str, place: Place, problems: Problems) -> None:
    if not _exists(path):
        problems.add(place, f"There is no field {path!r} in contracts/sealed.py; correct it")
        return
    for value in values:
        try:
            field_at(path).deserialize(value)
        except ValidationError as error:
            problems.add(place, f"{path!r} can't hold {what} ({' '.join(map(str, error.messages))}); change kind, "
                                "choices or limits ('most')")  # fmt: skip
            return


def _check_whole(definition: Definition, file: Place, problems: Problems) -> None:
    """Checks that a complete form has all that intake needs, and begins with the consent on confidentiality."""
    certain = _filled_for(definition, {})
    for field in NEEDED:
        if field not in certain:
            problems.add(
                file, f"Nothing fills {field!r} for everybody; ask or set it, without condition and not optional"
            )
    if not _reaches_everybody(definition):
        problems.add(
            file,
            "Not everybody says how they, or whoever writes for them, can be reached; fill 'contact.channel' or "
            "'written_by.contact.channel' for each answer to one question, and not optional",
        )
    for path in ("consents.processing", "consents.confidentiality_understood"):
        if not any(question.fills == path and question.kind is Kind.CONSENT for question in definition.questions()):
            problems.add(file, f"There is no question of kind consent that fills {path!r}; add it")
    first = definition.pages[0].questions if definition.pages else ()
    if not any(question.fills == "consents.confidentiality_understood" for question in first):
        problems.add(
            file, "The first page asks for 'consents.confidentiality_understood', before anything is disclosed"
        )


def _reaches_everybody(definition: Definition) -> bool:
    """Whether every form has a contact channel: whatever is answered, or for each answer to some question."""
    if REACHED & _filled_for(definition, {}):
        return True
    asked = [q for page in definition.pages for q in page.questions if _is_certain(page, q, {})]
    return any(
        all(REACHED & _filled_for(definition, {question.id: value}) for value in values)
        for question in asked
        if (values := _values_of(question))
    )


def _filled_for(definition: Definition, given: Answers) -> set[str]:
    """The fields that are filled for whoever gives these answers, whatever else they answer."""
    certain = {q.id: q for page in definition.pages for q in page.questions if _is_certain(page, q, given)}
    asked = {question.fills for question in certain.values()}
    always = {setting.field for setting in definition.settings if setting.when.holds(given)}
    covered: dict[tuple[str, str], set[str]] = {}
    for setting in definition.settings:
        alone = len(setting.when.wanted) == 1 and not setting.when.unwanted
        for name, values in setting.when.wanted if alone else ():
            covered.setdefault((setting.field, name), set()).update(values)
    whole = {id_: _values_of(question) for id_, question in certain.items()}
    return asked | always | {field for (field, name), values in covered.items() if whole.get(name) == values}


def _is_certain(page: Page, question: Question, given: Answers) -> bool:
    """Whether everybody who gives these answers is asked, and has to answer."""
    asked = not page.more and page.when.holds(given) and question.when.holds(given) and not question.optional
    return asked or question.kind is Kind.CONSENT


def _exists(path: str) -> bool:
    try:
        field_at(path)
    except NoSuchField:
        return False
    return True
