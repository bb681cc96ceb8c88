"""Commands that need two people: one prepares it, and another, who may give it too, confirms it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from web.shared.accounts.domain.refusals import NothingWaits, SomebodyElseConfirms
from web.shared.accounts.domain.vocabulary import Factor, PreparedState

WAITS = timedelta(days=3)


@dataclass(frozen=True)
class Prepared:
    """A command of a service as it is going to be given, in the name of whoever prepared it. `id` is the command's own.

    `fields` never hold personal data. `signed_in_at` and `factor` are of the sign-in in which it was prepared.
    """

    id: UUID
    service: str
    command: str
    fields: Mapping[str, Any]
    prepared_by: UUID
    prepared_at: datetime
    signed_in_at: datetime
    factor: Factor
    until: datetime
    state: PreparedState = PreparedState.WAITING
    decided_by: UUID | None = None

    def is_open(self, at: datetime) -> bool:
        """Whether somebody has still to decide, or to ask again what became of it."""
        return self.state is PreparedState.CONFIRMED or (self.state is PreparedState.WAITING and at < self.until)

    def confirm(self, by: UUID, *, at: datetime) -> Prepared:
        """Confirmed, or given once more in the same name where no answer came.

        Raises SomebodyElseConfirms, NothingWaits.
        """
        if by == self.prepared_by:
            raise SomebodyElseConfirms
        if not self.is_open(at):
            raise NothingWaits
        if self.state is PreparedState.CONFIRMED:
            return self  # whoever confirmed it first stays on record
        return replace(self, state=PreparedState.CONFIRMED, decided_by=by)

    def decline(self, by: UUID, *, at: datetime) -> Prepared:
        """Declined by another, or taken back by whoever prepared it. Raises NothingWaits."""
        if self.state is not PreparedState.WAITING or not self.is_open(at):
            raise NothingWaits
        return replace(self, state=PreparedState.DECLINED, decided_by=by)

    def done(self) -> Prepared:
        return replace(self, state=PreparedState.DONE)

    def refused(self) -> Prepared:
        """The service refused it, so that it waits again, to be confirmed later or declined."""
        return replace(self, state=PreparedState.WAITING, decided_by=None)
