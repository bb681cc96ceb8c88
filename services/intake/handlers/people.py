"""Looks for somebody by their contact, or by name and date of birth, without anything readable to look in."""

from __future__ import annotations

from chassis.audit.chain import AuditAction
from chassis.ports import UnitOfWork
from contracts.commands.intake import FindPeople, PeopleFound, ReferralSummary
from contracts.sealed import PersonSought
from contracts.vocabulary import MarkKind
from services.intake.application.lookup import open_sealed
from services.intake.dependencies import Dependencies
from services.intake.domain.match_keys import alternative_match_keys_of, match_keys_of
from services.intake.errors import NothingToLookFor
from services.intake.store import possible_duplicates

MOST_SHOWN = 20


def find_people(unit: UnitOfWork[Dependencies], request: FindPeople) -> PeopleFound:
    """Puts on record that somebody was looked for, by what, and how many were found, and never whom.

    Raises NotSealedToIntake, NothingToLookFor.
    """
    sought = open_sealed(unit, PersonSought, request.sealed)
    found = _match_keys(unit, request.kind, sought)
    count, newest = possible_duplicates.find_alike(unit.session, found, MOST_SHOWN)
    unit.record_audit(AuditAction.SEARCHED, who=unit.actor.who, reason=f"{request.kind.value}, found: {count}")
    return PeopleFound(
        found=count,
        referrals=tuple(
            ReferralSummary(
                referral_id=referral.id,
                reference=referral.reference,
                state=referral.state.value,
                client_group=referral.client_group,
                received_at=referral.received_at,
                previous_referral_id=referral.previous_id,
            )
            for referral in newest
        ),
    )


def _match_keys(unit: UnitOfWork[Dependencies], kind: MarkKind, sought: PersonSought) -> set[bytes]:
    """Under which match keys somebody may be kept. Raises NothingToLookFor."""
    keys = unit.dependencies.match_hmac_keys
    known = match_keys_of(
        email=sought.email,
        telephone=sought.telephone,
        name=sought.name,
        date_of_birth=sought.date_of_birth,
        keys=keys,
    )
    if kind not in known:
        raise NothingToLookFor("Say whom to look for: a whole contact, or a name and a date of birth.")
    if kind is not MarkKind.NAME_AND_BIRTH:
        return {known[kind]}
    others = alternative_match_keys_of(name=sought.name, date_of_birth=sought.date_of_birth, keys=keys)
    return {known[kind], *others}
