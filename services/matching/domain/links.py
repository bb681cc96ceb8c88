"""Links between referrals whose clients may have no therapist in common, and the exception."""

from __future__ import annotations

from dataclasses import dataclass

from contracts.vocabulary import LinkId, LinkKind, ReferralId, Work
from contracts.watermark import is_newer
from services.matching.domain.referral import Referral


@dataclass(eq=False, kw_only=True)
class Link:
    """Intake's newest word on two referrals that are linked, or no longer are."""

    id: LinkId
    referral_id: ReferralId
    other_id: ReferralId
    kind: LinkKind
    stands: bool
    sequence: int

    def advance(self, *, stands: bool, sequence: int) -> bool:
        """Records what intake says of the link. False if something newer was said before."""
        if not is_newer(sequence, self.sequence):
            return False
        self.stands, self.sequence = stands, sequence
        return True


def may_share_a_therapist(one: Referral, other: Referral, *, kind: LinkKind) -> bool:
    """Partners who both work as a couple have agreed to one therapist. Nobody else has."""
    return kind is LinkKind.PARTNER and one.work is Work.COUPLE and other.work is Work.COUPLE
