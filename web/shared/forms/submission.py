"""Builds the `HelpSubmission` from a complete form's answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache
from typing import Any

from marshmallow import Schema

from contracts.fields import Nested, StrictBoolean
from contracts.sealed import HelpSubmission
from contracts.typed.postcodes import NO_FIXED_ABODE
from contracts.vocabulary import ConsentTold
from web.shared.forms.definition import Answers, Definition, Kind, Question
from web.shared.forms.engine import applicable, is_complete
from web.shared.forms.field_types import as_json

MOST_OF_ADDRESS = 400
FORM, FORM_VERSION = "help", 1
"""The name and version of the submission's shape, the same for every route."""


class NoSuchField(LookupError):
    """The sealed form has no field of this name."""


@cache
def field_at(path: str) -> Any:
    """The marshmallow field that a path such as `contact.email` leads to. Raises NoSuchField."""
    schema: Schema | None = HelpSubmission.schema
    field: Any = None
    for name in path.split("."):
        if schema is None or name not in schema.fields:
            raise NoSuchField(path)
        field = schema.fields[name]
        schema = field.shape.schema if isinstance(field, Nested) else None
    return field


def is_flag(path: str) -> bool:
    return isinstance(field_at(path), StrictBoolean)


def build(
    definition: Definition,
    answers: Answers,
    *,
    at: datetime,
    agreed_at: Mapping[str, datetime],
    language: str,
    suspected: Iterable[str] = (),
    told: ConsentTold | None = None,
) -> HelpSubmission:
    """The submission of a complete form. `agreed_at` says when each consent was given, by its question's id, and `told`
    how, where somebody else typed it in.

    Raises InvalidShape if the definition lets through what the contract doesn't.
    """
    assert is_complete(definition, answers), "only a complete form is sent"
    counting = applicable(definition, answers)
    form: dict[str, Any] = {
        "language": language,
        "definition": definition.name,
        "definition_version": definition.version,
        "suspected": list(suspected),
    }
    for setting in definition.settings:
        if setting.when.holds(counting):
            _put(form, setting.field, setting_value(setting.field, setting.value))
    asked = [question for question in definition.questions() if question.id in counting]
    for question in asked:
        if question.fills and counting[question.id]:
            _put(form, question.fills, as_json(question, counting[question.id], flag=is_flag(question.fills)))
    _complete_prison_address(form)
    consents = [question for question in asked if question.is_consent and counting[question.id]]
    of_another = form.get("written_by", {}).get("agreed_how")
    form["consents"] |= {"given_at": at.isoformat(), "text_version": max(consent.text_version for consent in consents)}
    form["consent_texts"] = [
        _consent(question, counting, agreed_at.get(question.id, at), told if _is_own(question) else of_another)
        for question in consents
    ]
    form["answers"] = [_answer(question, counting) for question in asked if _is_kept_apart(question, counting)]
    return HelpSubmission.from_json(form)


def _complete_prison_address(form: dict[str, Any]) -> None:
    """Puts the prison's name and postcode, which the form asks beside its address, into the address."""
    prison, contact = form.get("custody", {}).get("prison"), form.get("contact", {})
    address, postcode = contact.get("address"), form.get("postcode")
    if not (prison and address):
        return
    if prison.casefold() not in address.casefold():
        address = f"{prison}\n{address}"
    if postcode and " " in postcode and postcode != NO_FIXED_ABODE and postcode not in address.upper():
        address = f"{address}\n{postcode}"
    if len(address) <= MOST_OF_ADDRESS:
        contact["address"] = address


def setting_value(field: str, text: str) -> Any:
    return text == "true" if is_flag(field) else text


def _put(form: dict[str, Any], path: str, value: Any) -> None:
    *parents, name = path.split(".")
    for parent in parents:
        form = form.setdefault(parent, {})
    form[name] = value


def _consent(question: Question, counting: Answers, at: datetime, told: str | None) -> dict[str, Any]:
    """One consent. `told` is how a writer, or staff, learned of it; None where whoever agrees ticked it themselves."""
    return {
        "text": question.id,
        "version": question.text_version,
        "given_at": at.isoformat(),
        "agreed": counting[question.id] == "yes",
        "told": told,
    }


def _is_own(question: Question) -> bool:
    return question.kind is Kind.CONSENT


def _is_kept_apart(question: Question, counting: Answers) -> bool:
    return not question.fills and question.kind is not Kind.CONSENT and bool(counting[question.id])


def _answer(question: Question, counting: Answers) -> dict[str, Any]:
    answer = counting[question.id]
    if isinstance(answer, tuple):
        return {"question": question.id, "several": list(answer)}
    return {"question": question.id, "text": answer}
