"""Two referrals that are kept apart: a partner's, a family member's, or that of somebody whom the other harmed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from contracts.vocabulary import LinkId, LinkKind, LinkReason, ReferralId, UnlinkReason


@dataclass(eq=False, kw_only=True)
class ReferralLink:
    """Who linked two referrals and why, and, once it was undone, who did that. It stays on record."""

    id: LinkId
    referral_id: ReferralId
    other_id: ReferralId
    kind: LinkKind
    linked_at: datetime
    linked_by: str
    reason: LinkReason
    undone_at: datetime | None = None
    undone_by: str | None = None
    undone_reason: UnlinkReason | None = None

    def other_than(self, referral_id: ReferralId) -> ReferralId:
        return self.other_id if referral_id == self.referral_id else self.referral_id

    def undo(self, *, at: datetime, by: str, reason: UnlinkReason) -> bool:
        """False if it was undone before."""
        if self.undone_at is not None:
            return False
        self.undone_at, self.undone_by, self.undone_reason = at, by, reason
        return True
