"""Finds the referral that a command or an event names, and opens what is sealed in a command."""

from __future__ import annotations

from chassis.ports import NotYet, UnitOfWork
from chassis.privacy.sealing import ShapeT, Unopenable
from contracts.commands.intake import ReferralCommand
from contracts.reference import InvalidReference, parse_reference
from contracts.vocabulary import ReferralId
from services.intake.dependencies import Dependencies
from services.intake.domain.referral import Referral
from services.intake.errors import ChangedMeanwhile, NotSealedToIntake, UnknownReferral
from services.intake.store import referrals

UNKNOWN_REFERENCE = "There is no request with this reference. Please check it."


def open_sealed(unit: UnitOfWork[Dependencies], kind: type[ShapeT], sealed: str) -> ShapeT:
    """Raises NotSealedToIntake."""
    try:
        return unit.dependencies.keyring.open(kind, sealed)
    except Unopenable:
        raise NotSealedToIntake("Seal this part of the command with intake's newest public key.") from None


def find_by_reference(unit: UnitOfWork[Dependencies], reference: str) -> Referral | None:
    """By a reference as a person typed it."""
    try:
        return referrals.find_by_reference(unit.session, parse_reference(reference))
    except InvalidReference:
        return None


def find_id(unit: UnitOfWork[Dependencies], reference: str) -> ReferralId | None:
    """As `find_by_reference`, locking nothing."""
    try:
        return referrals.id_of_reference(unit.session, parse_reference(reference))
    except InvalidReference:
        return None


def get_two_referrals(
    unit: UnitOfWork[Dependencies], first_id: ReferralId, second_id: ReferralId
) -> tuple[Referral, Referral]:
    """Two referrals, locked in the order of their ids, so that two commands about the same pair can't deadlock.

    Raises UnknownReferral.
    """
    found = {id_: get_referral(unit, id_) for id_ in sorted({first_id, second_id})}
    return found[first_id], found[second_id]


def get_referral(unit: UnitOfWork[Dependencies], referral_id: ReferralId) -> Referral:
    """Raises UnknownReferral."""
    try:
        return referrals.get_referral(unit.session, referral_id)
    except referrals.NoSuchReferral:
        raise UnknownReferral("There is no such referral. Please check the identifier.") from None


def get_as_seen(unit: UnitOfWork[Dependencies], request: ReferralCommand) -> Referral:
    """The referral that a command changes. Raises UnknownReferral, ChangedMeanwhile."""
    referral = get_referral(unit, request.referral_id)
    refuse_if_changed(unit, referral, request.seen)
    return referral


def refuse_if_changed(unit: UnitOfWork[Dependencies], referral: Referral, seen: int | None) -> None:
    """Raises ChangedMeanwhile if steps were taken since the one that was seen last."""
    if seen is None or referral.steps_taken <= seen:
        return
    since = [row for row in referrals.history_of(unit.session, referral.id) if row.number > seen]
    raise ChangedMeanwhile(
        referral.reference,
        [
            {"who": row.taken_by, "what": row.step, "when": row.taken_at.isoformat(), "fields": row.changed or []}
            for row in since
        ],
    )


def get_or_wait(unit: UnitOfWork[Dependencies], referral_id: ReferralId) -> Referral:
    """Raises NotYet: the event that tells of the referral may still be under way."""
    try:
        return referrals.get_referral(unit.session, referral_id)
    except referrals.NoSuchReferral:
        raise NotYet("the referral is not recorded here yet") from None


def get_by_reference(unit: UnitOfWork[Dependencies], reference: str) -> Referral:
    """Raises UnknownReferral."""
    referral = find_by_reference(unit, reference)
    if referral is None:
        raise UnknownReferral(UNKNOWN_REFERENCE)
    return referral
