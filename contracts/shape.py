"""Shapes: frozen dataclasses that check themselves against a marshmallow schema made from their annotations.

A shape is written once, as a typed class; the schema, the JSON Schema and the documents are derived from it::

    class FundOpened(Shape):
        fund_id: FundId
        amount_pence: Pence
        note: str | None = None          # optional: may be missing or null
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Mapping
from datetime import date, datetime
from enum import Enum
from typing import Annotated, Any, ClassVar, Self, Union, dataclass_transform, get_args, get_origin, get_type_hints
from uuid import UUID

import orjson
from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate

from contracts.compiled_schema import DOUBTS, Plan
from contracts.fields import Day, Instant, Nested, StrictBoolean, Text, Tuple

DEFAULT_MAX_LENGTH = 2_000
"""Characters of a string with no limit of its own: nothing unbounded goes on the bus."""

DEFAULT_MAX_ITEMS = 1_000
"""Items of a list with no limit of its own."""

GREATEST_NUMBER = 2**53 - 1
"""How far from 0 a number with no limit of its own may be: every JSON parser has integers up to this exactly."""


class InvalidShape(ValueError):
    """Data that doesn't fit a shape. `errors` names the fields and what is wrong; it never repeats a value."""

    def __init__(self, shape: str, errors: Mapping[str, Any]) -> None:
        super().__init__(f"{shape}: {_flatten(errors)}")
        self.errors = dict(errors)


_FIELDS: dict[type, type[fields.Field[Any]]] = {
    str: Text,
    int: fields.Integer,
    float: fields.Float,
    bool: StrictBoolean,
    UUID: fields.UUID,
    datetime: Instant,
    date: Day,
}


@dataclass_transform(frozen_default=True, kw_only_default=True)
class Shape:
    """The base of every shape; a subclass becomes a frozen, keyword-only dataclass with a schema of its own."""

    schema: ClassVar[Schema]
    plan: ClassVar[Plan]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        dataclasses.dataclass(frozen=True, kw_only=True)(cls)
        cls.schema = _schema_of(cls)
        cls.plan = Plan(cls.schema)

    @classmethod
    def from_json(cls, data: Any) -> Self:
        """Checks parsed JSON and builds the shape; unknown fields are ignored. Raises InvalidShape."""
        try:
            values = cls.plan.load(data)
        except DOUBTS:
            pass
        else:
            shape = object.__new__(cls)
            shape.__dict__.update(values)  # what the dataclass's own constructor would do, in a third of the time
            return shape
        try:
            return cls(**cls.schema.load(data))
        except ValidationError as error:
            raise InvalidShape(cls.__name__, _messages(error)) from None

    def to_json(self) -> dict[str, Any]:
        """The shape as JSON-ready values, without the optional fields that are not set."""
        dumped: dict[str, Any] = self.schema.dump(self)
        return {name: value for name, value in dumped.items() if value is not None}

    def encode(self) -> bytes:
        """The shape as JSON text, after checking values that were set in code. Raises InvalidShape."""
        try:
            return orjson.dumps(self.plan.dump(self.__dict__))
        except DOUBTS:
            pass
        data = self.to_json()
        errors = self.schema.validate(data)
        if errors:
            raise InvalidShape(type(self).__name__, errors)
        try:
            return orjson.dumps(data)
        except orjson.JSONEncodeError:
            raise InvalidShape(type(self).__name__, {"_": ["holds what JSON has no words for"]}) from None


def field_for(annotation: Any, **options: Any) -> fields.Field[Any]:
    """The marshmallow field for a type annotation. Raises TypeError for a type that no event may hold."""
    checks: list[Any] = []
    sealed_to: str | None = None
    while get_origin(annotation) is Annotated or hasattr(annotation, "__supertype__"):
        if hasattr(annotation, "__supertype__"):
            annotation = annotation.__supertype__
            continue
        annotation, *extras = get_args(annotation)
        checks += [extra for extra in extras if isinstance(extra, validate.Validator)]
        sealed_to = next((extra.reader for extra in extras if isinstance(extra, SealedTo)), sealed_to)
    if sealed_to:
        options["metadata"] = {"sealed_to": sealed_to}
    return _plain_field(annotation, checks, options)


def _plain_field(annotation: Any, checks: list[Any], options: dict[str, Any]) -> fields.Field[Any]:
    if get_origin(annotation) in (Union, types.UnionType):
        (inner,) = (arg for arg in get_args(annotation) if arg is not type(None))
        field = field_for(inner, **{**options, "required": False, "allow_none": True, "load_default": None})
        field.validators += checks
        return field
    if get_origin(annotation) is tuple:
        checks = _with_length(checks, DEFAULT_MAX_ITEMS)
        return Tuple(field_for(get_args(annotation)[0]), validate=checks, **options)
    if annotation is str and not any(isinstance(check, validate.OneOf) for check in checks):
        checks = _with_length(checks, DEFAULT_MAX_LENGTH)
    if annotation in (int, float):
        checks = _with_range(checks)
        options |= {"strict": True} if annotation is int else {}
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return fields.Enum(annotation, by_value=True, validate=checks, **options)
    if isinstance(annotation, type) and issubclass(annotation, Shape):
        return Nested(annotation, options)
    if annotation not in _FIELDS:
        raise TypeError(f"no event may hold a {annotation!r}")
    return _FIELDS[annotation](validate=checks, **options)


def _with_length(checks: list[Any], most: int) -> list[Any]:
    """The checks, of which one says how long a value may be: at most `most` where they leave it open."""
    own = next((check for check in checks if isinstance(check, validate.Length)), validate.Length())
    if own.max is None and own.equal is None:
        return [check for check in checks if check is not own] + [validate.Length(min=own.min, max=most)]
    return checks


def _with_range(checks: list[Any]) -> list[Any]:
    """The checks, of which one says between what a number lies, both ways."""
    own = next((check for check in checks if isinstance(check, validate.Range)), validate.Range())
    if own.min is not None and own.max is not None:
        return checks
    least = -GREATEST_NUMBER if own.min is None else own.min
    most = GREATEST_NUMBER if own.max is None else own.max
    closed = validate.Range(least, most, min_inclusive=own.min_inclusive, max_inclusive=own.max_inclusive)
    return [check for check in checks if check is not own] + [closed]


@dataclasses.dataclass(frozen=True)
class SealedTo:
    """Marks a string field as a JWE that only `reader` can open."""

    reader: str


def _schema_of(cls: type[Shape]) -> Schema:
    hints = get_type_hints(cls, include_extras=True)
    declared = {field.name: field for field in dataclasses.fields(cls)}  # type: ignore[arg-type]
    members: dict[str, Any] = {}
    for name, field in declared.items():
        options: dict[str, Any] = {"required": True}
        if field.default is not dataclasses.MISSING:
            options = {"required": False, "load_default": field.default}
        members[name] = field_for(hints[name], **options)
    schema: Schema = Schema.from_dict(members, name=f"{cls.__name__}Schema")(unknown=EXCLUDE)
    return schema


def _messages(error: ValidationError) -> Mapping[str, Any]:
    messages: dict[str, Any] = error.normalized_messages()  # type: ignore[no-untyped-call]
    return messages


def _flatten(errors: Mapping[Any, Any], prefix: str = "") -> str:
    parts = []
    for name, problem in errors.items():
        if isinstance(problem, Mapping):
            parts.append(_flatten(problem, f"{prefix}{name}."))
        else:
            parts.append(f"{prefix}{name}: {' '.join(map(str, problem))}")
    return "; ".join(parts)
