"""Matching's settings."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from marshmallow.validate import Range

from chassis.config import Env
from services.matching.domain.suitability import AskFirst, Order


@dataclass(frozen=True)
class MatchingSettings:
    """Policy that an administrator may change."""

    offer_working_days: int
    stalled_after_working_days: int
    keys_folder: Path
    order: Order = field(default_factory=Order)
    unanswered_offers: int = 3
    """Left to expire in a row, after which a therapist is asked last."""
    pause_for_concerns: bool = True
    """Whether a search pauses while an immediate safeguarding concern is unacknowledged."""


def read(env: Env) -> MatchingSettings:
    return MatchingSettings(
        offer_working_days=env.int("MATCHING_OFFER_WORKING_DAYS", 2, validate=Range(min=1, max=30)),
        stalled_after_working_days=env.int("MATCHING_STALLED_AFTER_WORKING_DAYS", 5, validate=Range(min=1, max=90)),
        keys_folder=env.path("LEEWARD_KEYS"),
        order=_order(env),
        unanswered_offers=env.int("MATCHING_UNANSWERED_OFFERS", 3, validate=Range(min=1, max=100)),
        pause_for_concerns=env.bool("MATCHING_HOLD_FOR_CONCERNS", True),
    )


def _order(env: Env) -> Order:
    first = env.enum("MATCHING_ASK_FIRST", AskFirst.LONGEST_AGO, enum=AskFirst, by_value=True)
    band = env.float("MATCHING_BAND_KM", 5.0, validate=Range(min=0.1, max=500))
    return Order(first, band)
