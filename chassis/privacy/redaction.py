"""Events' bodies for people to read: sealed fields stay sealed, and fields that no schema knows are withheld."""

from __future__ import annotations

from typing import Any

import orjson

from contracts.catalogue import BY_NAME
from contracts.event import Event

WITHHELD = "<withheld>"


def body_for_people(publisher: str, name: str, body: bytes | str) -> Any:
    """The body of the publisher's event of this name, as JSON."""
    try:
        data = orjson.loads(body)
    except ValueError:
        return f"<not JSON, {len(body)} bytes>"
    kind = BY_NAME.get((publisher, name))
    if not isinstance(data, dict) or kind is None:
        return WITHHELD
    return {field: _shown(kind, field, value) for field, value in data.items()}


def _shown(kind: type[Event], name: str, value: Any) -> Any:
    field = kind.schema.fields.get(name)
    if field is None:
        return WITHHELD
    reader = field.metadata.get("sealed_to")
    return f"<sealed to {reader}>" if reader else value
