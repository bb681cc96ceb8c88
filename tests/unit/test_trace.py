"""A referral's story, put together from what the services told."""

from __future__ import annotations

from typing import Any

from leeward.console.referral_events import FROM_OUTSIDE, Gathered, story_of


def row(id_: str, referral_id: str, second: int, cause: str | None, event: str = "X") -> dict[str, Any]:
    return {
        "event_id": id_,
        "type": event,
        "referral_id": referral_id,
        "correlation_id": "story",
        "causation_id": cause,
        "emitted_at": f"2026-11-23T10:00:{second:02}+00:00",
        "service": "matching",
    }


def gathered(*rows: dict[str, Any], handled: dict[str, dict[str, str]] | None = None) -> Gathered:
    return Gathered({one["event_id"]: one for one in rows}, handled or {})


def test_what_led_to_it_belongs_to_the_story_and_what_another_referral_led_to_does_not() -> None:
    told = gathered(
        row("ended", "other", 1, None), row("offered", "mine", 2, "ended"), row("offered to other", "other", 3, "ended")
    )
    assert [step.id for step in story_of(told, "mine")] == ["ended", "offered"]


def test_steps_are_in_order_of_time_with_the_delay_since_their_cause() -> None:
    told = gathered(row("b", "mine", 9, "a"), row("a", "mine", 4, None))
    assert [(step.id, step.seconds_since_cause) for step in story_of(told, "mine")] == [("a", None), ("b", 5.0)]


def test_what_came_from_outside_is_known_by_who_handled_it() -> None:
    handled = {"form": {"intake": "2026-11-23T10:00:01+00:00"}, "a": {"billing": "2026-11-23T10:00:04+00:00"}}
    first, second = story_of(gathered(row("a", "mine", 1, "form"), handled=handled), "mine")
    assert (first.event, first.id, first.handled[0].service) == (FROM_OUTSIDE, "form", "intake")
    assert second.seconds_since_cause == 0.0
    assert (second.handled[0].service, second.handled[0].seconds_after) == ("billing", 3.0)
