"""A letter by which somebody tries out that letters arrive: they type the code in it."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from web.shared.accounts.domain.refusals import CodeUsedUp

LASTS, MOST_TRIES = timedelta(days=1), 5


@dataclass(frozen=True)
class LetterTest:
    """`tries` counts the codes that were typed and wrong."""

    id: UUID
    account_id: UUID
    code_hash: bytes
    sent_at: datetime
    tries: int = 0
    arrived_at: datetime | None = None

    def is_open(self, at: datetime) -> bool:
        """Whether its code can be typed now."""
        return self.arrived_at is None and self.tries < MOST_TRIES and at < self.sent_at + LASTS

    def typed(self, code_hash: bytes, *, at: datetime) -> LetterTest:
        """Arrived, or one more wrong try. Raises CodeUsedUp."""
        if not self.is_open(at):
            raise CodeUsedUp
        if hmac.compare_digest(self.code_hash, code_hash):
            return replace(self, arrived_at=at)
        return replace(self, tries=self.tries + 1)
