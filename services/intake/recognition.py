"""Who knows a referral's reference and its passphrase."""

from __future__ import annotations

from dataclasses import replace

from chassis.ports import UnitOfWork
from contracts.vocabulary import ReferralId
from services.intake import store
from services.intake.dependencies import Dependencies
from services.intake.domain.passphrases import NO_DECOY, decoy_for, recognises
from services.intake.domain.referral import Referral


def recognise(unit: UnitOfWork[Dependencies], reference: str, passphrase: str) -> Referral | None:
    """The referral that goes on for this reference, if the passphrase is its own.

    A reference that nobody has and a passphrase that is another's take the same work: two rows are asked for, one is
    there, and its wrong try is written. So nobody learns from the time of an answer which references there are.
    """
    key, session = unit.dependencies.passphrase_key, unit.session
    decoy_id = decoy_for(reference, key=key)
    own = store.find_guard(session, reference)
    decoy = store.find_decoy(session, NO_DECOY if own else decoy_id)
    guard = own or decoy or store.make_decoy(session, decoy_id)
    before = replace(guard)
    is_recognised = recognises(guard, passphrase, key=key, at=unit.now)
    if guard != before:
        store.save_tries(session, store.referrals if own else store.decoys, guard)
    if not (own and is_recognised):
        return None
    referral = store.get_referral(session, ReferralId(own.id))
    return store.get_referral(session, referral.merged_into) if referral.merged_into else referral
