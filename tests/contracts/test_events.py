"""Every event: its schema, its golden example, and what its documents say of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from contracts import generate
from contracts.catalogue import PUBLISHERS, events
from contracts.event import Event
from contracts.json_schema import of_event
from contracts.shape import InvalidShape
from contracts.vocabulary import ReferralId

SAMPLES = Path(generate.FOLDER) / "samples"
EVENTS = list(events())
each_event = pytest.mark.parametrize("event", EVENTS, ids=lambda event: f"{event.publisher}.{event.__name__}")


def sample_of(event: type[Event]) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((SAMPLES / f"{event.publisher}.{event.__name__}.json").read_text())
    return content


@each_event
def test_a_golden_example_is_read_and_written_unchanged(event: type[Event]) -> None:
    sample = sample_of(event)
    assert event.from_json(sample).to_json() == sample


@each_event
def test_a_golden_example_fits_the_json_schema(event: type[Event]) -> None:
    jsonschema.Draft202012Validator(of_event(event)).validate(sample_of(event))


@each_event
def test_each_required_field_is_missed_by_name(event: type[Event]) -> None:
    for name in of_event(event)["required"]:
        sample = sample_of(event)
        del sample[name]
        with pytest.raises(InvalidShape) as caught:
            event.from_json(sample)
        assert list(caught.value.errors) == [name]


@each_event
def test_readers_ignore_what_they_do_not_know(event: type[Event]) -> None:
    sample = sample_of(event)
    assert event.from_json({**sample, "added_in_a_later_version": 1}).to_json() == sample


@each_event
def test_an_error_never_repeats_a_value(event: type[Event]) -> None:
    planted = "jane.doe@example.org planted"
    for name in event.schema.fields:
        with pytest.raises(InvalidShape) as caught:
            event.from_json({**sample_of(event), name: {"planted": planted}})
        assert "planted" not in str(caught.value)


@each_event
def test_amounts_and_times_name_their_units(event: type[Event]) -> None:
    for name, described in of_event(event)["properties"].items():
        described = described.get("anyOf", [described])[0]
        if described.get("format") == "date-time":
            assert name.endswith(("_at", "_since")), name
        if described["type"] in ("integer", "number"):
            assert name.endswith(("_pence", "_km", "_version", "_years")) or name in COUNTED or "pence" in name, name


COUNTED = {"sessions", "score", "reminder", "offers_expired", "most_per_session", "number"}
"""Numbers of things; `most_per_session` is what forms, commands and services agreed to call it, and its event says that
it is in pence."""


@each_event
def test_every_event_says_what_happened(event: type[Event]) -> None:
    assert len(event.__doc__ or "") > 40


def test_no_sample_is_left_of_an_event_that_is_gone() -> None:
    expected = {f"{event.publisher}.{event.__name__}.json" for event in EVENTS}
    assert {path.name for path in SAMPLES.glob("*.json")} == expected
    assert {path.name for path in (generate.FOLDER / "schemas").glob("*.json")} == expected


def test_the_generated_documents_are_up_to_date() -> None:
    stale = [path.name for path, content in generate.documents() if path.read_text() != content]
    assert stale == []


def test_the_asyncapi_document_knows_every_event() -> None:
    document = json.loads((generate.FOLDER / "asyncapi.json").read_text())
    messages = {name for channel in document["channels"].values() for name in channel["messages"]}
    assert messages == {event.__name__ for event in EVENTS}
    assert set(document["channels"]) == {f"{publisher}.events" for publisher in PUBLISHERS}


def test_an_event_needs_a_subject_that_it_holds() -> None:
    with pytest.raises(TypeError, match="has no field 'fund_id'"):

        class Nothing(Event, publisher="tests", subject="fund_id"):
            """An event about something that it doesn't name."""

            referral_id: ReferralId


def test_no_event_may_hold_what_json_cannot() -> None:
    with pytest.raises(TypeError, match="no event may hold"):

        class Odd(Event, publisher="tests", subject="referral_id"):
            """An event with a field of a type that has no place on the bus."""

            referral_id: ReferralId
            anything: complex
