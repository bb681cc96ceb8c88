"""The compiled checks and marshmallow give the same answers, whatever they are asked."""

from __future__ import annotations

from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID, uuid4

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from marshmallow import ValidationError, validate

from contracts.compiled_schema import DOUBTS
from contracts.shape import InvalidShape, Shape
from tests.contracts.test_events import EVENTS, sample_of


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Inner(Shape):
    number: Annotated[int, validate.Range(min=0, max=9)]


class Everything(Shape):
    id: UUID
    at: datetime
    on: date
    colour: Colour
    yes: bool
    ratio: Annotated[float, validate.Range(min=0, max=1)]
    name: Annotated[str, validate.Length(min=1, max=5), validate.Regexp("^[a-z]*$")]
    inner: Inner
    inners: Annotated[tuple[Inner, ...], validate.Length(max=2)] = ()
    note: str | None = None


GOOD: dict[str, Any] = {
    "id": str(uuid4()),
    "at": "2026-11-21T10:00:00+01:00",
    "on": "2026-11-21",
    "colour": "red",
    "yes": True,
    "ratio": 0.5,
    "name": "abc",
    "inner": {"number": 1, "unknown": 2},
    "inners": [{"number": 1}],
    "note": None,
}
anything = st.recursive(
    st.none() | st.booleans() | st.integers(-20, 20) | st.floats() | st.text(max_size=8) | st.sampled_from(
        ["2026-11-21", "2026-11-21T10:00:00", "2026-11-21T10:00:00Z", "red", "abc", "1", "true", str(uuid4())]
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["number", "id"]), inner, max_size=2),
    max_leaves=4,
)  # fmt: skip


at_leisure = settings(suppress_health_check=[HealthCheck.too_slow])


def loaded_by_plan(shape: type[Shape], data: Any) -> Any:
    try:
        return shape.plan.load(data)
    except DOUBTS:
        return None


@at_leisure
@given(
    changes=st.dictionaries(st.sampled_from(sorted(GOOD)), anything, max_size=3),
    missing=st.sets(st.sampled_from(sorted(GOOD)), max_size=1),
)
def test_what_the_plan_accepts_marshmallow_reads_alike(changes: dict[str, Any], missing: set[str]) -> None:
    data = {name: value for name, value in (GOOD | changes).items() if name not in missing}
    values = loaded_by_plan(Everything, data)
    if values is not None:
        assert values == Everything.schema.load(data)


@at_leisure
@given(data=anything)
def test_what_is_no_object_is_refused_and_breaks_nothing(data: Any) -> None:
    with pytest.raises(InvalidShape):
        Everything.from_json(data)


values_in_code = st.sampled_from([None, 1, -1, 0.5, 1.0, float("nan"), True, "abc", "", "red", Colour.BLUE, uuid4(),
    datetime(2026, 11, 21, 10), datetime(2026, 11, 21, 10, tzinfo=UTC), date(2026, 11, 21),
    (), [], (Inner(number=1),), (Inner(number=1),) * 3, Inner(number=9), Inner(number=10)])  # fmt: skip


@at_leisure
@given(changes=st.dictionaries(st.sampled_from(sorted(GOOD)), values_in_code, max_size=2))
def test_what_the_plan_writes_marshmallow_writes_alike(changes: dict[str, Any]) -> None:
    shape = Everything(**(Everything.schema.load(GOOD) | changes))
    try:
        dumped = orjson.loads(orjson.dumps(shape.plan.dump(shape.__dict__)))
    except DOUBTS:
        return
    assert dumped == shape.to_json()
    assert not Everything.schema.validate(dumped)


def test_what_fits_needs_no_marshmallow() -> None:
    assert loaded_by_plan(Everything, GOOD) == Everything.schema.load(GOOD)


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.__name__)
def test_every_event_is_read_and_written_by_its_plan(event: Any) -> None:
    sample = sample_of(event)
    assert orjson.loads(orjson.dumps(event.plan.dump(event(**event.plan.load(sample)).__dict__))) == sample


@pytest.mark.parametrize(
    "changes", [{"name": "abcdef"}, {"id": None}, {"note": "\ud800"}], ids=["long", "none", "torn"]
)
def test_what_does_not_fit_is_never_written(changes: dict[str, Any]) -> None:
    shape = Everything(**(Everything.schema.load(GOOD) | changes))
    with pytest.raises(InvalidShape):
        shape.encode()


def test_marshmallow_explains_what_does_not_fit() -> None:
    with pytest.raises(InvalidShape, match=r"inner\.number"):
        Everything.from_json(GOOD | {"inner": {"number": 10}})
    with pytest.raises(ValidationError):
        Everything.schema.load(GOOD | {"inner": {"number": 10}})
