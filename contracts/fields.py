"""The marshmallow fields that shapes are made of, where the stock ones are laxer than an event may be."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from marshmallow import Schema, fields


class Instant(fields.AwareDateTime):
    """A moment with an offset, kept as UTC."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:
        moment = super()._deserialize(value, attr, data, **kwargs)
        assert isinstance(moment, datetime)
        return moment.astimezone(UTC)


class StrictBoolean(fields.Boolean):
    """JSON true or false, and nothing that looks like them."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return value


class Tuple(fields.List[Any]):
    """A JSON array that becomes a tuple, so that a shape stays unchangeable."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        return tuple(super()._deserialize(value, attr, data, **kwargs))


class Nested(fields.Nested):
    """A shape within a shape."""

    def __init__(self, shape: type[Any], options: dict[str, Any]) -> None:
        schema: Schema = shape.schema
        super().__init__(schema, **options)
        self.shape = shape

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, partial: Any = None, **kwargs: Any
    ) -> Any:
        return self.shape(**super()._deserialize(value, attr, data, partial, **kwargs))
