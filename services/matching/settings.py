"""Matching's settings."""

from __future__ import annotations

from dataclasses import dataclass

from marshmallow.validate import Range

from chassis.config import Env


@dataclass(frozen=True)
class MatchingSettings:
    """Policy that an administrator may change."""

    offer_working_days: int
    stalled_after_working_days: int


def read(env: Env) -> MatchingSettings:
    return MatchingSettings(
        offer_working_days=env.int("MATCHING_OFFER_WORKING_DAYS", 2, validate=Range(min=1, max=30)),
        stalled_after_working_days=env.int("MATCHING_STALLED_AFTER_WORKING_DAYS", 5, validate=Range(min=1, max=90)),
    )
