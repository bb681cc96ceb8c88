"""Every shape checks its values at the edge: what can't be stored, or shown as it was meant, is refused by name."""

from __future__ import annotations

import importlib
import pkgutil
import types
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Annotated, Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from marshmallow import fields, validate

from contracts import commands, events, sealed
from contracts.compiled_schema import DOUBTS
from contracts.fields import FIRST_INSTANT, LAST_INSTANT, Day, Instant, Nested, Text, Tuple
from contracts.json_schema import of_shape
from contracts.shape import DEFAULT_MAX_ITEMS, GREATEST_NUMBER, InvalidShape, Shape


def modules() -> Iterator[types.ModuleType]:
    yield sealed
    for package in (commands, events):
        for module in pkgutil.iter_modules(package.__path__):
            yield importlib.import_module(f"{package.__name__}.{module.name}")


SHAPES = sorted(
    {
        kind
        for module in modules()
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, Shape) and "schema" in vars(kind)
    },
    key=lambda kind: f"{kind.__module__}.{kind.__name__}",
)
each_shape = pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: f"{shape.__module__}.{shape.__name__}")


def fields_of(schema: Any) -> Iterator[fields.Field[Any]]:
    """Every field of a schema, also those inside lists and shapes."""
    for field in schema.fields.values():
        yield from _with_inner(field)


def _with_inner(field: fields.Field[Any]) -> Iterator[fields.Field[Any]]:
    yield field
    if isinstance(field, Tuple):
        yield from _with_inner(field.inner)
    if isinstance(field, Nested):
        yield from fields_of(field.shape.schema)


def checks_of(field: fields.Field[Any], kind: type) -> list[Any]:
    return [check for check in field.validators if isinstance(check, kind)]


class Letter(Shape):
    words: str
    at: datetime = datetime(2026, 11, 23, tzinfo=UTC)
    on: date = date(2026, 11, 23)
    number: int = 0
    ratio: float = 0.0
    lines: tuple[str, ...] = ()
    least: Annotated[int, validate.Range(min=1)] = 1


HONEST = {
    "lines and tabs": "first\r\nsecond\n\tthird",
    "a soft break and a new page, as word processors paste them": "first\x0bsecond\x0cthird",
    "Welsh": "Dw i’n byw yng Nghaerffili, â’r ŵyn a’r tŷ",
    "an emoji": "thank you 🙂",
    "emoji that are joined": "👩‍👩‍👧 👨🏽‍⚕️",
    "the flag of Wales": "🏴\U000e0067\U000e0062\U000e0077\U000e006c\U000e0073\U000e007f",
    "Arabic with its marks": "مرحبا\u061c (1)\u200f",
    "Hebrew with a mark": "שלום\u200e abc",
    "Persian with a non-joiner": "می\u200cخواهم",
    "a soft hyphen, hard spaces and a byte order mark": "\ufeffco\xadoperate\u00a0now\u2009please\u2028and\u2029go",
}
UNFIT = {
    "NUL": ("a\x00b", "control character"),
    "escape": ("a\x1b[2Jb", "control character"),
    "delete": ("a\x7fb", "control character"),
    "an eight-bit escape": ("a\x9bb", "control character"),
    "the first half of an emoji": ("a\ud83d", "half a character"),
    "the second half of an emoji": ("\ude42b", "half a character"),
    "an override of direction": ("a\u202egnp.exe", "text's direction"),
    "an isolate": ("a\u2066b", "text's direction"),
}


@pytest.mark.parametrize("words", HONEST.values(), ids=HONEST)
def test_what_people_honestly_write_passes_unchanged(words: str) -> None:
    letter = Letter.from_json({"words": words})
    assert letter.words == words
    assert Letter.plan.load({"words": words})["words"] == words, "and needs no marshmallow"
    assert letter.encode()


@pytest.mark.parametrize(("words", "what"), UNFIT.values(), ids=UNFIT)
def test_what_cannot_be_meant_is_refused_by_field_and_never_repeated(words: str, what: str) -> None:
    with pytest.raises(InvalidShape, match=what) as caught:
        Letter.from_json({"words": words})
    assert list(caught.value.errors) == ["words"]
    assert str(caught.value).isprintable(), "nothing of it is repeated"
    with pytest.raises(InvalidShape, match=what):
        Letter(words=words).encode()


@each_shape
def test_every_text_of_every_shape_refuses_what_cannot_be_meant(shape: type[Shape]) -> None:
    texts = [name for name, field in shape.schema.fields.items() if isinstance(field, fields.String)]
    for words, _ in UNFIT.values() if texts else ():
        with pytest.raises(InvalidShape) as caught:
            shape.from_json(dict.fromkeys(texts, words))
        assert set(texts) <= set(caught.value.errors)


@each_shape
def test_every_value_of_every_shape_is_bounded(shape: type[Shape]) -> None:
    for field in fields_of(shape.schema):
        if (
            isinstance(field, fields.String)
            and not isinstance(field, fields.UUID)
            and not checks_of(field, validate.OneOf)
        ):
            assert isinstance(field, Text)
            assert any(check.max or check.equal for check in checks_of(field, validate.Length))
        if isinstance(field, Tuple):
            assert any(check.max or check.equal for check in checks_of(field, validate.Length))
        if isinstance(field, fields.Number):
            (bounds,) = checks_of(field, validate.Range)
            assert -GREATEST_NUMBER <= bounds.min <= bounds.max <= GREATEST_NUMBER
        assert not isinstance(field, fields.DateTime) or isinstance(field, Instant)
        assert not isinstance(field, fields.Date) or isinstance(field, Day)


@each_shape
def test_no_code_of_any_shape_may_be_followed_by_a_line_break(shape: type[Shape]) -> None:
    for field in fields_of(shape.schema):
        assert not any(check.regex.pattern.endswith("$") for check in checks_of(field, validate.Regexp))


@pytest.mark.parametrize(
    "at",
    [
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "1899-12-31T23:59:59Z",
        "2201-01-01T00:00:00Z",
        "2200-12-31T23:30:00-01:00",
    ],
)
def test_moments_far_from_now_are_refused(at: str) -> None:
    with pytest.raises(InvalidShape, match="at: Must be in the years 1900 to 2200"):
        Letter.from_json({"words": "", "at": at})


@pytest.mark.parametrize("on", ["0001-01-01", "1899-12-31", "2201-01-01", "9999-12-31"])
def test_days_far_from_now_are_refused(on: str) -> None:
    with pytest.raises(InvalidShape, match="on: Must be in the years 1900 to 2200"):
        Letter.from_json({"words": "", "on": on})


def test_the_first_and_the_last_moment_pass() -> None:
    for moment in (FIRST_INSTANT, LAST_INSTANT):
        letter = Letter.from_json({"words": "", "at": moment.isoformat(), "on": moment.date().isoformat()})
        assert Letter.from_json(letter.to_json()) == letter
        assert letter.encode()


@pytest.mark.parametrize("far", [datetime(1, 1, 1, tzinfo=UTC), datetime(2201, 1, 1, tzinfo=UTC)])
def test_a_moment_far_from_now_is_never_written(far: datetime) -> None:
    with pytest.raises(InvalidShape, match="1900 to 2200"):
        Letter(words="", at=far).encode()
    with pytest.raises(InvalidShape, match="1900 to 2200"):
        Letter(words="", on=far.date()).encode()


@pytest.mark.parametrize(
    "changes",
    [
        {"number": 2**53},
        {"number": -(2**53)},
        {"number": 10**400},
        {"ratio": 1e300},
        {"ratio": float("inf")},
        {"ratio": float("nan")},
        {"ratio": 10**400},
        {"least": 0},
        {"least": 2**53},
        {"lines": ["x"] * (DEFAULT_MAX_ITEMS + 1)},
    ],
    ids=str,
)
def test_numbers_and_lists_without_limits_of_their_own_have_some(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidShape) as caught:
        Letter.from_json({"words": "", **changes})
    assert list(caught.value.errors) == list(changes)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(), max_size=8)  # surrogates too
    | st.sampled_from([2**63, 10**400, "0001-01-01T00:00:00+14:00", "9999-12-31", "\ud83d", "a\x00", "\u202e" * 9])
    | st.datetimes().map(lambda moment: f"{moment.isoformat()}+14:00"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=20, suppress_health_check=list(HealthCheck))
@given(data=st.data())
@each_shape
def test_whatever_arrives_is_read_or_refused_as_invalid(shape: type[Shape], data: st.DataObject) -> None:
    names = st.sampled_from(sorted(shape.schema.fields) or ["unknown"])
    given_values = data.draw(st.dictionaries(names, json_values, max_size=8) | json_values)
    try:
        read = shape.from_json(given_values)
    except InvalidShape as refusal:
        written = str(refusal).encode()  # so that the refusal can be told to whoever sent it
    else:
        written = read.encode()
        assert shape.from_json(read.to_json()) == read
    assert written


@settings(max_examples=300)
@given(words=st.text(st.characters(), max_size=20))
def test_the_plan_and_marshmallow_agree_about_every_text(words: str) -> None:
    data = {"words": words}
    try:
        read = Letter.plan.load(data)["words"]
    except DOUBTS:
        assert Letter.schema.validate(data)
    else:
        assert read == words
        assert not Letter.schema.validate(data)


def test_the_published_schema_says_the_same() -> None:
    described = of_shape(Letter)["properties"]
    bare = {name: one.get("anyOf", [one])[0] for name, one in described.items()}
    assert bare["number"] == {"type": "integer", "minimum": -GREATEST_NUMBER, "maximum": GREATEST_NUMBER}
    assert bare["least"] == {"type": "integer", "minimum": 1, "maximum": GREATEST_NUMBER}
    assert bare["lines"]["maxItems"] == DEFAULT_MAX_ITEMS
    assert bare["words"]["maxLength"] == 2_000


@pytest.mark.parametrize("words", [*HONEST.values(), *(words for words, what in UNFIT.values() if "half" not in what)])
def test_the_published_pattern_of_text_refuses_what_the_shape_refuses(words: str) -> None:
    described = jsonschema.Draft202012Validator(of_shape(Letter))
    assert described.is_valid({"words": words}) == (words in HONEST.values())


@pytest.mark.parametrize("year", [1, 1899, 1900, 2026, 2199, 2200, 2201, 9999])
def test_the_published_pattern_of_times_allows_the_years_that_the_shape_allows(year: int) -> None:
    described = jsonschema.Draft202012Validator(of_shape(Letter))
    for changes in ({"at": f"{year:04}-06-01T00:00:00Z"}, {"on": f"{year:04}-06-01"}):
        assert described.is_valid({"words": "", **changes}) == (1900 <= year <= 2200)
