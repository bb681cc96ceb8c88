"""What billing does when intake says something of a referral."""

from __future__ import annotations

from contracts.events.intake import (
    ReferralAssessed,
    ReferralClosed,
    ReferralReceived,
    ReferralReopened,
    ReferralSignposted,
    ReferralWithdrawn,
)
from contracts.vocabulary import ReferralId, ReopeningReason, SubsidyReleaseReason
from contracts.watermark import is_newer
from services.billing.application import attendance, award_lifecycle, referral_fees, subsidies
from services.billing.application.lookup import expect_referral
from services.billing.application.waiting_list import leave_waiting_list, money_has_come
from services.billing.dependencies import BillingUnit
from services.billing.domain.days import day_of
from services.billing.domain.fees import Ending, ending_of_closure
from services.billing.domain.referrals import Referral
from services.billing.store import matches, referrals, rows, waiting_list


def note_referral(unit: BillingUnit, event: ReferralReceived) -> None:
    """A referral was received, or received again with newer facts. A subsidy waits for the assessment."""
    referral = referrals.find_referral(unit.session, event.referral_id)
    if referral is None:
        rows.add(unit.session, _referral_of(event, unit.sequence))
    elif is_newer(unit.sequence, referral.received_sequence):
        _renew_facts(referral, event, unit.sequence)
        _reconsider(unit, referral)


def note_assessment(unit: BillingUnit, event: ReferralAssessed) -> None:
    """A referral was assessed: if it asks for a subsidy, now is when that is decided."""
    referral = expect_referral(unit, event.referral_id)
    if referral.assessed_at is None:
        referral.assessed_at = event.assessed_at
        subsidies.decide(unit, referral)


def withdraw(unit: BillingUnit, event: ReferralWithdrawn) -> None:
    """The client took the request back, or a person found it to be the same as another."""
    if _end(unit, event.referral_id, Ending.WITHDRAWN, SubsidyReleaseReason.WITHDRAWN):
        expect_referral(unit, event.referral_id).merged_into_id = event.merged_into_id


def signpost(unit: BillingUnit, event: ReferralSignposted) -> None:
    """Another service helps the client."""
    _end(unit, event.referral_id, Ending.SIGNPOSTED, SubsidyReleaseReason.SIGNPOSTED)


def close(unit: BillingUnit, event: ReferralClosed) -> None:
    """Nothing more will happen for the referral."""
    _end(unit, event.referral_id, ending_of_closure(event.reason), SubsidyReleaseReason.MATCH_ENDED)


def reopen(unit: BillingUnit, event: ReferralReopened) -> None:
    """A referral that had ended goes on: so does its award, if the money is still there, and its subsidy is decided."""
    referral = expect_referral(unit, event.referral_id)
    if not is_newer(unit.sequence, referral.ending_sequence or 0):
        return
    referral.ending, referral.ending_sequence = None, unit.sequence
    referral.ended_at = referral.merged_into_id = None
    if event.reason is ReopeningReason.MATCH_GOES_ON:
        for match in matches.matches_of(unit.session, referral.id):
            if not match.has_ended:
                referral_fees.settle_referral_fee(unit, referral, match, goes_on=True)
    award_lifecycle.resume(unit, referral)


def _end(unit: BillingUnit, referral_id: ReferralId, ending: Ending, reason: SubsidyReleaseReason) -> bool:
    """False if intake has said something newer."""
    referral = expect_referral(unit, referral_id)
    if not is_newer(unit.sequence, referral.ending_sequence or 0):
        return False
    referral.ending, referral.ending_sequence = ending, unit.sequence
    referral.ended_at = unit.envelope.time if unit.envelope else unit.now
    leave_waiting_list(unit, referral_id)
    for match in matches.matches_of(unit.session, referral_id):
        if match.end_reason is None:
            referral_fees.settle_referral_fee(unit, referral, match)
            attendance.ask_after_end(unit, match)
    award_lifecycle.close_award_of(unit, referral, reason, pays_until=day_of(referral.ended_at))
    return True


def _referral_of(event: ReferralReceived, sequence: int) -> Referral:
    return Referral(
        id=event.referral_id,
        received_at=event.received_at,
        client_group=event.client_group,
        police_force_area=event.police_force_area,
        local_authority=event.local_authority,
        fee_ceiling_pence=event.fee_ceiling_pence,
        subsidy_requested=event.subsidy_requested,
        received_sequence=sequence,
        previous_id=event.previous_referral_id,
    )


def _renew_facts(referral: Referral, event: ReferralReceived, sequence: int) -> None:
    referral.received_sequence = sequence
    referral.client_group = event.client_group
    referral.fee_ceiling_pence = event.fee_ceiling_pence
    referral.subsidy_requested = event.subsidy_requested
    referral.previous_id = event.previous_referral_id
    if not referral.area_confirmed:
        referral.police_force_area = event.police_force_area
        referral.local_authority = event.local_authority


def _reconsider(unit: BillingUnit, referral: Referral) -> None:
    if not referral.asks_for_subsidy:
        leave_waiting_list(unit, referral.id)
    elif waiting_list.find_entry(unit.session, referral.id):
        money_has_come(unit)
    else:
        subsidies.decide(unit, referral)
