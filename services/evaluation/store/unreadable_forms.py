"""Keeps forms that could not be opened, sealed as they came, until the key is found."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from chassis.ports import UnitOfWork
from chassis.store.unreadable import UnreadableStore
from contracts.events.web import EvaluationReturned
from contracts.vocabulary import SubmissionId
from services.evaluation.dependencies import Dependencies
from services.evaluation.store.tables import unreadable


@dataclass(frozen=True)
class Unreadable:
    """A form that is sealed to a key that evaluation doesn't have."""

    submission_id: SubmissionId
    sealed: str
    received_at: datetime


_kept = UnreadableStore(unreadable, Unreadable)
unread, find, drop = _kept.oldest, _kept.find, _kept.drop


def keep(unit: UnitOfWork[Dependencies], event: EvaluationReturned) -> None:
    row = {"submission_id": event.submission_id, "sealed": event.sealed, "received_at": unit.now}
    _kept.keep(unit.session, row)
