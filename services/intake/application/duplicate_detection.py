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
    """Marks a request, and records which others it has a mark in common with, but for one it takes up, or is taken up
    by."""
    own = form.contact if form.route in OWN_CONTACT else None
    marks = match_keys_of(
        email=own.email if own else None,
        telephone=own.telephone if own else None,
        name=form.name,
        date_of_birth=form.date_of_birth,
        keys=unit.dependencies.match_hmac_keys,
    )
    if marks:
        others = alternative_match_keys_of(
            name=form.name, date_of_birth=form.date_of_birth, keys=unit.dependencies.match_hmac_keys
        )
        possible_duplicates.save_pairs(unit.session, referral, {*marks.values(), *others}, unit.now, but=taken_up_by)
        possible_duplicates.save_match_keys(unit.session, referral.id, marks)


def refresh_match_keys(unit: UnitOfWork[Dependencies], referral: Referral, form: HelpForm) -> None:
    """The client is reached in another way: what they had in common with others by the old one stays on record."""
    possible_duplicates.delete_match_keys(unit.session, referral.id)
    record_match_keys(unit, referral, form, taken_up_by=referrals.taken_up_by(unit.session, referral.id))
