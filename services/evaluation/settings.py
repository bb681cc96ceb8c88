"""Evaluation's settings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from marshmallow import ValidationError
from marshmallow.validate import Range

from chassis.config import Env


@dataclass(frozen=True)
class EvaluationSettings:
    """Which instruments are used, when they are due, and below which size a group is never reported on.

    `young_instrument` is what those of the clients are asked by who are of an age that it is made for.
    """

    client_instrument: str
    therapist_instrument: str
    young_instrument: str
    instruments_folder: Path | None
    wording_folder: Path | None
    review_after: timedelta
    follow_up_after: timedelta
    smallest_group: int
    reminders_after: tuple[timedelta, ...]
    link_lasts: timedelta
    keys_folder: Path


def read(env: Env) -> EvaluationSettings:
    return EvaluationSettings(
        client_instrument=env.str("EVALUATION_CLIENT_INSTRUMENT", "core-10"),
        therapist_instrument=env.str("EVALUATION_THERAPIST_INSTRUMENT", "therapist-view"),
        young_instrument=env.str("EVALUATION_YOUNG_INSTRUMENT", "yp-core"),
        instruments_folder=env.path("EVALUATION_INSTRUMENTS_FOLDER", None),
        wording_folder=env.path("EVALUATION_WORDING_FOLDER", None),
        review_after=_weeks(env, "EVALUATION_REVIEW_AFTER_WEEKS", 6),
        follow_up_after=_weeks(env, "EVALUATION_FOLLOW_UP_AFTER_WEEKS", 26),
        smallest_group=env.int("EVALUATION_SMALLEST_GROUP", 10, validate=Range(min=5, max=1_000)),
        reminders_after=_days(env.str("EVALUATION_REMINDERS_AFTER_DAYS", "3,7,14", validate=_are_days)),
        link_lasts=timedelta(days=env.int("EVALUATION_LINK_DAYS", 28, validate=Range(min=1, max=365)) or 28),
        keys_folder=env.path("LEEWARD_KEYS"),
    )


def _weeks(env: Env, name: str, default: int) -> timedelta:
    # What is wrong is None here; `check` names it, with whatever else is wrong.
    weeks: int | None = env.int(name, default, validate=Range(min=1, max=260))
    return timedelta(weeks=default if weeks is None else weeks)


def _days(text: str | None) -> tuple[timedelta, ...]:
    """`3,7,14`, or nothing for none."""
    return tuple(timedelta(days=int(one)) for one in (text or "").split(",") if one.strip())


def _are_days(text: str) -> None:
    try:
        days = _days(text)
    except ValueError:
        days = (timedelta(0),)
    if sorted({*days}) != [*days] or any(day < timedelta(days=1) for day in days):
        raise ValidationError("Written as 3,7,14: whole days, the earliest first; or nothing for none.")
