"""Evaluation's settings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from marshmallow.validate import Range

from chassis.config import Env


@dataclass(frozen=True)
class EvaluationSettings:
    """Which instruments are used, when they are due, and below which size a group is never reported on."""

    client_instrument: str
    therapist_instrument: str
    instruments_folder: Path | None
    review_after: timedelta
    follow_up_after: timedelta
    smallest_group: int
    keys_folder: Path


def read(env: Env) -> EvaluationSettings:
    return EvaluationSettings(
        client_instrument=env.str("EVALUATION_CLIENT_INSTRUMENT", "core-10"),
        therapist_instrument=env.str("EVALUATION_THERAPIST_INSTRUMENT", "therapist-view"),
        instruments_folder=env.path("EVALUATION_INSTRUMENTS_FOLDER", None),
        review_after=_weeks(env, "EVALUATION_REVIEW_AFTER_WEEKS", 6),
        follow_up_after=_weeks(env, "EVALUATION_FOLLOW_UP_AFTER_WEEKS", 26),
        smallest_group=env.int("EVALUATION_SMALLEST_GROUP", 10, validate=Range(min=5, max=1_000)),
        keys_folder=env.path("LEEWARD_KEYS"),
    )


def _weeks(env: Env, name: str, default: int) -> timedelta:
    # What is wrong is None here; `check` names it, with whatever else is wrong.
    weeks: int | None = env.int(name, default, validate=Range(min=1, max=260))
    return timedelta(weeks=default if weeks is None else weeks)
