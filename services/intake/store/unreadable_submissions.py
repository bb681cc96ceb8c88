"""Keeps submissions that could not be read, sealed as they came."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from chassis.store.unreadable import UnreadableStore
from contracts.events.web import HelpRequested, WithdrawalRequested
from contracts.vocabulary import RefusalReason, SubmissionId
from services.intake.store.tables import unreadable


@dataclass(frozen=True)
class Unreadable:
    """A submission that could not be taken in. `event` names what it was sent as."""

    submission_id: SubmissionId
    event: str
    form: str | None
    form_version: int | None
    sealed: str
    received_at: datetime
    reason: RefusalReason
    field: str | None

    def as_event(self) -> HelpRequested | WithdrawalRequested:
        if self.form is None or self.form_version is None:
            return WithdrawalRequested(submission_id=self.submission_id, sealed=self.sealed)
        return HelpRequested(
            submission_id=self.submission_id, form=self.form, form_version=self.form_version, sealed=self.sealed
        )


_kept = UnreadableStore(unreadable, Unreadable)
list_oldest, find, delete = _kept.oldest, _kept.find, _kept.drop


def save(
    session: Session,
    event: HelpRequested | WithdrawalRequested,
    reason: RefusalReason,
    field: str | None,
    *,
    at: datetime,
) -> None:
    form = (event.form, event.form_version) if isinstance(event, HelpRequested) else (None, None)
    row = {
        "submission_id": event.submission_id,
        "event": type(event).__name__,
        "form": form[0],
        "form_version": form[1],
        "sealed": event.sealed,
        "received_at": at,
        "reason": reason,
        "field": field,
    }
    _kept.keep(session, row)
