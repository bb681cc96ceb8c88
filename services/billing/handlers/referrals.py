"""What billing does when intake says something of a referral."""

from __future__ import annotations

from chassis.ports import NotYet
from contracts.events.intake import (
    ReferralAssessed,
    ReferralClosed,
    ReferralReceived,
    ReferralReopened,
    ReferralSignposted,
    ReferralWithdrawn,
)
from contracts.vocabulary import ReferralId, SubsidyReleaseReason
from services.billing import store
from services.billing.domain.fees import Ending, ending_of_closure, is_credited_by_ending
from services.billing.handlers import books, subsidies
from services.billing.handlers.books import BillingUnit
from services.billing.tables import Referral


def note_referral(unit: BillingUnit, event: ReferralReceived) -> None:
    """A referral was received, or received again with newer facts. A subsidy waits for the assessment."""
    referral = store.find_referral(unit.session, event.referral_id)
    if referral is None:
        store.add(unit.session, _referral_of(event, unit.sequence))
    elif unit.sequence > referral.received_sequence:
        _renew_facts(referral, event, unit.sequence)
        _reconsider(unit, referral)


def note_assessment(unit: BillingUnit, event: ReferralAssessed) -> None:
    """A referral was assessed: if it asks for a subsidy, now is when that is decided."""
    referral = expect_referral(unit, event.referral_id)
    if referral.assessed_at is None:
        referral.assessed_at = event.assessed_at
        subsidies.decide(unit, referral)


def withdraw(unit: BillingUnit, event: ReferralWithdrawn) -> None:
    """The client took the request back."""
    _end(unit, event.referral_id, Ending.WITHDRAWN, SubsidyReleaseReason.WITHDRAWN)


def signpost(unit: BillingUnit, event: ReferralSignposted) -> None:
    """Another service helps the client."""
    _end(unit, event.referral_id, Ending.SIGNPOSTED, SubsidyReleaseReason.SIGNPOSTED)


def close(unit: BillingUnit, event: ReferralClosed) -> None:
    """Nothing more will happen for the referral."""
    _end(unit, event.referral_id, ending_of_closure(event.reason), SubsidyReleaseReason.MATCH_ENDED)


def reopen(unit: BillingUnit, event: ReferralReopened) -> None:
    """A referral that was withdrawn as a duplicate is none; its subsidy waits for the assessment again."""
    referral = expect_referral(unit, event.referral_id)
    if referral.ending_sequence is not None and unit.sequence <= referral.ending_sequence:
        return
    referral.ending, referral.ending_sequence = None, unit.sequence
    if referral.assessed_at is not None and store.find_held_award(unit.session, referral.id) is None:
        subsidies.wait_again(unit, referral)


def expect_referral(unit: BillingUnit, referral_id: ReferralId) -> Referral:
    """The referral that an event is about. Raises NotYet while its ReferralReceived has not arrived."""
    referral = store.find_referral(unit.session, referral_id)
    if referral is None:
        raise NotYet(f"referral {referral_id} has not been received here")
    return referral


def _end(unit: BillingUnit, referral_id: ReferralId, ending: Ending, reason: SubsidyReleaseReason) -> None:
    referral = expect_referral(unit, referral_id)
    if referral.ending_sequence is not None and unit.sequence <= referral.ending_sequence:
        return
    referral.ending, referral.ending_sequence = ending, unit.sequence
    subsidies.leave_waiting_list(unit, referral_id)
    subsidies.end_award_of(unit, referral_id, reason)
    for match in store.matches_of(unit.session, referral_id):
        attended = store.sessions_attended(unit.session, match.id)
        if match.end_reason is None and is_credited_by_ending(ending=ending, sessions_attended=attended):
            books.credit_referral_fee(unit, match)


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
    )


def _renew_facts(referral: Referral, event: ReferralReceived, sequence: int) -> None:
    referral.received_sequence = sequence
    referral.client_group = event.client_group
    referral.fee_ceiling_pence = event.fee_ceiling_pence
    referral.subsidy_requested = event.subsidy_requested
    if not referral.area_confirmed:
        referral.police_force_area = event.police_force_area
        referral.local_authority = event.local_authority


def _reconsider(unit: BillingUnit, referral: Referral) -> None:
    if not referral.asks_for_subsidy:
        subsidies.leave_waiting_list(unit, referral.id)
    elif store.find_place(unit.session, referral.id):
        subsidies.money_has_come(unit)
    else:
        subsidies.decide(unit, referral)
