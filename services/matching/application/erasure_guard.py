"""Keeps later events about an erased referral from their handlers.

Commands need no guard: they name an offer, which was deleted, or a match, which has ended.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from chassis.ports import UnitOfWork
from services.matching.dependencies import Dependencies
from services.matching.domain.referral import State
from services.matching.store import referrals

EventT = TypeVar("EventT", bound=Any)
Handler = Callable[[UnitOfWork[Dependencies], EventT], None]


def unless_erased(handler: Handler[EventT]) -> Handler[EventT]:
    """The handler of an event about one referral, which does nothing once that was erased."""

    @wraps(handler)
    def handle(unit: UnitOfWork[Dependencies], event: EventT) -> None:
        referral = referrals.find_referral(unit.session, event.referral_id)
        if referral is None or referral.state is not State.ERASED:
            handler(unit, event)

    return handle
