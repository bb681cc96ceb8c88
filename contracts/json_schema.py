"""JSON Schema (draft 2020-12) of a shape, from its marshmallow schema."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, validate

from contracts.event import Event
from contracts.fields import Tuple
from contracts.shape import Shape
from contracts.text import CONTROLS, DIRECTIONS

DIALECT = "https://json-schema.org/draft/2020-12/schema"
FIT_TEXT = "^[^" + (CONTROLS + DIRECTIONS).replace(r"\x", r"\u00") + "]*$"
"""What `contracts.text` lets pass. Halves of characters aren't named: not every engine tells them from whole ones."""

YEARS = "^(19[0-9]{2}|2[01][0-9]{2}|2200)-"
"""From `contracts.fields.FIRST_YEAR` to `LAST_YEAR`."""

_TYPES: list[tuple[type[fields.Field[Any]], dict[str, Any]]] = [
    (fields.UUID, {"type": "string", "format": "uuid"}),
    (fields.AwareDateTime, {"type": "string", "format": "date-time", "pattern": YEARS}),
    (fields.Date, {"type": "string", "format": "date", "pattern": YEARS}),
    (fields.Boolean, {"type": "boolean"}),
    (fields.Integer, {"type": "integer"}),
    (fields.Float, {"type": "number"}),
    (fields.String, {"type": "string", "pattern": FIT_TEXT}),
]


def of_event(event: type[Event]) -> dict[str, Any]:
    """The JSON Schema of an event's body. Unknown fields are allowed: readers ignore them."""
    return {"$schema": DIALECT, "$id": event.dataschema(), "title": event.__name__, **of_shape(event)}


def of_shape(shape: type[Shape]) -> dict[str, Any]:
    members = shape.schema.fields
    described: dict[str, Any] = {
        "description": " ".join((shape.__doc__ or "").split()),
        "type": "object",
        "properties": {name: _of_field(field) for name, field in members.items()},
        "required": [name for name, field in members.items() if field.required],
    }
    return described


def _of_field(field: fields.Field[Any]) -> dict[str, Any]:
    described = _type_of(field)
    for check in field.validators:
        described |= _of_check(check, described.get("type"))
    if "enum" in described:
        described.pop("pattern", None)
    sealed_to = field.metadata.get("sealed_to")
    if sealed_to:
        described["description"] = f"A JWE (RFC 7516, compact) that only {sealed_to} can open."
    if field.allow_none and not field.required:
        return {"anyOf": [described, {"type": "null"}]}
    return described


def _type_of(field: fields.Field[Any]) -> dict[str, Any]:
    if isinstance(field, fields.Enum):
        return {"type": "string", "enum": [member.value for member in field.enum]}
    if isinstance(field, Tuple):
        return {"type": "array", "items": _of_field(field.inner)}
    if isinstance(field, fields.Nested):
        return of_shape(field.shape)  # type: ignore[attr-defined]
    return dict(next(described for kind, described in _TYPES if isinstance(field, kind)))


def _of_check(check: Any, type_: str | None) -> dict[str, Any]:
    if isinstance(check, validate.Range):
        bounds = {"minimum": check.min, "maximum": check.max}
    elif isinstance(check, validate.Length):
        least, most = ("minItems", "maxItems") if type_ == "array" else ("minLength", "maxLength")
        bounds = {least: check.min, most: check.max}
    elif isinstance(check, validate.Regexp):
        bounds = {"pattern": str(check.regex.pattern).replace(r"\Z", "$")}  # Python's `$` lets a line break follow
    elif isinstance(check, validate.OneOf):
        bounds = {"enum": list(check.choices)}
    else:
        bounds = {}
    return {name: value for name, value in bounds.items() if value is not None}
