"""What intake refuses a person, by name, and how it finds and opens what a command names."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from chassis.ports import Refused, UnitOfWork
from chassis.privacy.sealing import ShapeT, Unopenable
from contracts.reference import InvalidReference, parse_reference
from contracts.vocabulary import ReferralId
from services.intake import store
from services.intake.dependencies import Dependencies
from services.intake.domain import referral as domain
from services.intake.domain.referral import Referral


class UnknownReferral(Refused):
    """There is no such referral; the identifier may be mistyped."""


class StepNotPossible(Refused):
    """The referral's state doesn't allow this step; the message names the state and what is possible."""


class SafeguardingLeadFirst(Refused):
    """A young person's referral waits for the safeguarding lead."""


class UnknownPlace(Refused):
    """What was typed names no place in the UK; the message tells what to look at."""


class NotSealedToIntake(Refused):
    """What must travel sealed could not be opened here."""


@contextmanager
def refusing() -> Iterator[None]:
    """Tells a person by name what the rules of a referral's life don't allow."""
    try:
        yield
    except domain.SafeguardingLeadFirst as refusal:
        raise SafeguardingLeadFirst(str(refusal)) from None
    except domain.StepRefused as refusal:
        raise StepNotPossible(str(refusal)) from None


def open_sealed(unit: UnitOfWork[Dependencies], kind: type[ShapeT], sealed: str) -> ShapeT:
    """Raises NotSealedToIntake."""
    try:
        return unit.dependencies.keyring.open(kind, sealed)
    except Unopenable:
        raise NotSealedToIntake("Seal this part of the command with intake's newest public key.") from None


def find(unit: UnitOfWork[Dependencies], reference: str) -> Referral | None:
    """By a reference as a person typed it."""
    try:
        return store.find_by_reference(unit.session, parse_reference(reference))
    except InvalidReference:
        return None


def identify(unit: UnitOfWork[Dependencies], reference: str) -> ReferralId | None:
    """As `find`, locking nothing."""
    try:
        return store.id_of_reference(unit.session, parse_reference(reference))
    except InvalidReference:
        return None


def get_both(unit: UnitOfWork[Dependencies], one: ReferralId, other: ReferralId) -> tuple[Referral, Referral]:
    """Two referrals, locked in one order, so that whoever asks about them the other way round doesn't wait for ever.

    Raises UnknownReferral.
    """
    found = {id_: get(unit, id_) for id_ in sorted({one, other})}
    return found[one], found[other]


def get(unit: UnitOfWork[Dependencies], referral_id: ReferralId) -> Referral:
    """Raises UnknownReferral."""
    try:
        return store.get_referral(unit.session, referral_id)
    except store.NoSuchReferral:
        raise UnknownReferral("There is no such referral. Please check the identifier.") from None
