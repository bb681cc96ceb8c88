"""The marshmallow fields that shapes are made of, where the stock ones are laxer than an event may be."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from marshmallow import Schema, fields

from contracts.text import fault_of, fits

FIRST_YEAR, LAST_YEAR = 1900, 2200
FIRST_INSTANT = datetime(FIRST_YEAR, 1, 1, tzinfo=UTC)
LAST_INSTANT = datetime(LAST_YEAR, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
FIRST_DAY, LAST_DAY = FIRST_INSTANT.date(), LAST_INSTANT.date()
OUT_OF_TIME = f"Must be in the years {FIRST_YEAR} to {LAST_YEAR}."


class Text(fields.String):
    """Text that can be stored and shown; see `contracts.text`."""

    default_error_messages = {  # noqa: RUF012 - marshmallow's own way
        "control": "Holds a control character; send none but tabs and line breaks.",
        "half": "Holds half a character, such as an emoji that was cut in two; send whole ones.",
        "direction": "Holds a control of the text's direction; leave out U+202A to U+202E and U+2066 to U+2069.",
    }

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text: str = super()._deserialize(value, attr, data, **kwargs)
        if not fits(text):
            raise self.make_error(fault_of(text))
        return text


class Instant(fields.AwareDateTime):
    """A moment with an offset, kept as UTC."""

    default_error_messages = {"out_of_time": OUT_OF_TIME}  # noqa: RUF012

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:
        moment = super()._deserialize(value, attr, data, **kwargs)
        assert isinstance(moment, datetime)
        if not FIRST_INSTANT <= moment <= LAST_INSTANT:  # before it is moved to UTC, which year 1 doesn't survive
            raise self.make_error("out_of_time")
        return moment.astimezone(UTC)


class Day(fields.Date):
    """A day of the calendar."""

    default_error_messages = {"out_of_time": OUT_OF_TIME}  # noqa: RUF012

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> date:
        day = super()._deserialize(value, attr, data, **kwargs)
        assert isinstance(day, date)
        if not FIRST_DAY <= day <= LAST_DAY:
            raise self.make_error("out_of_time")
        return day


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
