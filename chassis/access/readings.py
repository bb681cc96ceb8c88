"""Whoever reads about many people within an hour is stopped, and a lead is told."""

from __future__ import annotations

from datetime import timedelta
from functools import cache

from sqlalchemy import func, select

from chassis.access.actor import Actor
from chassis.access.authorization import NotPermitted
from chassis.store.unit_of_work import StoreUnit
from contracts.command import Query
from contracts.permission_table import command_types
from contracts.permissions import GRANTS
from contracts.shape import Shape

WITHIN = timedelta(hours=1)


class TooManyReadings(NotPermitted):
    """Somebody has read about more people within the hour than policy allows."""


def refuse_many_readings(unit: StoreUnit, actor: Actor, kind: type[Shape], most: int) -> None:
    """Raises TooManyReadings where a question reveals personal data and `most` like it were carried out this hour."""
    if actor.person is None or not _reveals(kind):
        return
    received = unit.tables.received_command.c
    counted = select(func.count()).where(
        received.who == actor.who, received.received_at > unit.now - WITHIN, received.command.in_(_revealing())
    )
    if unit.session.execute(counted).scalar_one() >= most:
        raise TooManyReadings(
            "You have read about many people within the hour. A lead has been told; please talk to them.",
            reason="too_many_readings",
            who=actor.who,
        )


@cache
def _revealing() -> list[str]:
    """The names of all questions that reveal personal data."""
    return [kind.__name__ for kind in command_types() if _reveals(kind)]


def _reveals(kind: type[Shape]) -> bool:
    return issubclass(kind, Query) and kind.needs is not None and GRANTS[kind.needs].reveals
