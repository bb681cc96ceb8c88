"""Verifies that somebody knows a referral's reference and its passphrase."""

from __future__ import annotations

from dataclasses import replace

from chassis.ports import UnitOfWork
from contracts.reference import InvalidReference, parse_reference
from contracts.sealed import Credentials
from contracts.vocabulary import ReferralId
from services.intake.dependencies import Dependencies
from services.intake.domain.passphrases import NO_DECOY, decoy_for, verify_passphrase
from services.intake.domain.referral import Referral
from services.intake.store import passphrase_guards, referrals, tables


def verify_client(unit: UnitOfWork[Dependencies], reference: str, passphrase: str) -> Referral | None:
    """The referral that goes on for this reference, if the passphrase is its own.

    An unknown reference takes the same work as a wrong passphrase: two rows are asked for, one is found, and the wrong
    try is counted in it. So the time of an answer doesn't reveal which references exist.
    """
    key, session = unit.dependencies.passphrase_key, unit.session
    decoy_id = decoy_for(reference, key=key)
    own = passphrase_guards.find_guard(session, reference)
    decoy = passphrase_guards.find_decoy(session, NO_DECOY if own else decoy_id)
    guard = own or decoy or passphrase_guards.make_decoy(session, decoy_id)
    before = replace(guard)
    is_right = verify_passphrase(guard, passphrase, key=key, at=unit.now)
    if guard != before:
        passphrase_guards.save_tries(session, tables.referrals if own else tables.decoys, guard)
    if not (own and is_right):
        return None
    referral = referrals.get_referral(session, ReferralId(own.id))
    return referrals.get_referral(session, referral.merged_into) if referral.merged_into else referral


def verify_credentials(unit: UnitOfWork[Dependencies], typed: Credentials) -> Referral | None:
    try:
        reference = parse_reference(typed.reference)
    except InvalidReference:
        reference = ""  # which nobody has
    return verify_client(unit, reference, typed.passphrase)


def is_own_reference(referral: Referral, typed: Credentials) -> bool:
    """Whether the reference is this referral's own, and not that of one merged into it, perhaps another person's."""
    return parse_reference(typed.reference) == referral.reference
