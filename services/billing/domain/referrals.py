"""Referrals, as far as money is concerned."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from contracts.vocabulary import (
    ClientGroup,
    ReferralId,
)
from services.billing.domain.fees import Ending
from services.billing.domain.funds import Area


@dataclass(kw_only=True, eq=False)
class Referral:
    """What intake said of a referral, as far as money is concerned. `received_at` is when a subsidy was asked for.

    `previous_id` and `merged_into_id` are other referrals of the same person. `least_fee_pence` is what a session costs
    at least with the therapists within reach, where a search with less has failed.
    """

    id: ReferralId
    received_at: datetime
    client_group: ClientGroup
    police_force_area: str | None
    local_authority: str | None
    area_confirmed: bool = False
    fee_ceiling_pence: int | None
    subsidy_requested: bool
    received_sequence: int
    assessed_at: datetime | None = None
    ending: Ending | None = None
    ending_sequence: int | None = None
    ended_at: datetime | None = None
    previous_id: ReferralId | None = None
    merged_into_id: ReferralId | None = None
    least_fee_pence: int | None = None

    @property
    def area(self) -> Area:
        return Area(police_force_area=self.police_force_area, local_authority=self.local_authority)

    @property
    def asks_for_subsidy(self) -> bool:
        """A subsidy is decided once it is both asked for and assessed, as long as the referral goes on."""
        return self.subsidy_requested and self.assessed_at is not None and self.ending is None

    def forget(self, *, sequence: int) -> None:
        """Forgets whatever could tell who this is. Nothing that intake said of it before is taken in any more."""
        self.received_sequence = max(sequence, self.received_sequence)
        self.police_force_area = self.local_authority = self.fee_ceiling_pence = self.least_fee_pence = None
        self.previous_id = self.merged_into_id = None
        self.subsidy_requested = False
