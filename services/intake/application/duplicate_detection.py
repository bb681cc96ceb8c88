"""Notices that two requests may be one person's, by the match keys that they have in common."""

from __future__ import annotations

from chassis.ports import UnitOfWork
from contracts.sealed import HelpForm
from contracts.vocabulary import ReferralId, Route
from services.intake.dependencies import Dependencies
from services.intake.domain.match_keys import alternative_match_keys_of, match_keys_of
from services.intake.domain.referral import Referral
from services.intake.store import possible_duplicates, referrals

OWN_CONTACT = frozenset({Route.SELF, Route.GUARDIAN})
"""Routes whose contact is the client's: two clients of one probation officer are no duplicates."""


def record_match_keys(
    unit: UnitOfWork[Dependencies],
    referral: Referral,
    form: HelpForm,
    *,
    taken_up_by: frozenset[ReferralId] = frozenset(),
) -> None:
    """Stores a request's match keys, and records which other requests have one of them.

    The request that this one takes up again, and those that take this one up, are no duplicates.
    """
    own = form.contact if form.route in OWN_CONTACT else None
    match_keys = match_keys_of(
        email=own.email if own else None,
        telephone=own.telephone if own else None,
        name=form.name,
        date_of_birth=form.date_of_birth,
        keys=unit.dependencies.match_hmac_keys,
    )
    if match_keys:
        alternatives = alternative_match_keys_of(
            name=form.name, date_of_birth=form.date_of_birth, keys=unit.dependencies.match_hmac_keys
        )
        possible_duplicates.save_pairs(
            unit.session, referral, {*match_keys.values(), *alternatives}, unit.now, but=taken_up_by
        )
        possible_duplicates.save_match_keys(unit.session, referral.id, match_keys)


def refresh_match_keys(unit: UnitOfWork[Dependencies], referral: Referral, form: HelpForm) -> None:
    """Replaces the match keys after a change of contact. Pairs that the old contact had revealed stay on record."""
    possible_duplicates.delete_match_keys(unit.session, referral.id)
    record_match_keys(unit, referral, form, taken_up_by=referrals.taken_up_by(unit.session, referral.id))
