"""The subsidy waiting list."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from contracts.vocabulary import (
    ReferralId,
    SubsidyWaitReason,
)


@dataclass(kw_only=True, eq=False)
class WaitingListEntry:
    """A referral on the subsidy waiting list; without a reason until it was tried for the first time.

    `allowed_by` decided that an award may follow one that was used up.
    """

    referral_id: ReferralId
    asked_at: datetime
    reason: SubsidyWaitReason | None = None
    allowed_by: str | None = None
