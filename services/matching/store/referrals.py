"""Finds referrals: by identifier, by person, by state."""

from __future__ import annotations

from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    Select,
    and_,
    bindparam,
    func,
    select,
)
from sqlalchemy.orm import Session

from chassis.store import identity_map
from chassis.store.prepared import prepared
from contracts.vocabulary import (
    PersonId,
    ReferralId,
)
from services.matching.domain.offer import Match, Offer, OfferState
from services.matching.domain.referral import Referral, State
from services.matching.store.tables import matches, metadata, offers, referrals

_duplicates = referrals.alias()


_OF_PERSON = prepared(
    select(referrals.c.id, referrals.c.duplicate_of, _duplicates.c.person_id.label("of_duplicate"))
    .outerjoin(_duplicates, _duplicates.c.duplicate_of == referrals.c.id)
    .where(referrals.c.person_id == bindparam("person_id"))
)


_PERSON_OF = prepared(select(referrals.c.person_id).where(referrals.c.id == bindparam("referral_id")))


def all_of_person(session: Session, referral_id: ReferralId) -> set[ReferralId]:
    """This and every other referral of the same person: those taken up again, and those found to be the same.

    Reads the database: flush what has changed before.
    """
    known = read_referral(session, referral_id)
    found = {referral_id}
    persons: set[PersonId | None] = {known.person_id} if known else set()
    seen: set[PersonId | None] = {None}
    while persons - seen:
        person_id = (persons - seen).pop()
        seen.add(person_id)
        for id_, duplicate_of, of_duplicate in session.execute(_OF_PERSON, {"person_id": person_id}):
            found.add(id_)
            persons.add(of_duplicate)
            if duplicate_of is not None:
                persons |= _values(session, _PERSON_OF, referral_id=duplicate_of)
    return found


def others_of_person(session: Session, referral_id: ReferralId) -> list[Referral]:
    """Not locked."""
    others = all_of_person(session, referral_id) - {referral_id}
    return [other for id_ in sorted(others) if (other := read_referral(session, id_)) is not None]


def read_referral(session: Session, referral_id: ReferralId) -> Referral | None:
    """Not locked."""
    return identity_map.find(session, Referral, referral_id)


def find_referral(session: Session, referral_id: ReferralId) -> Referral | None:
    return identity_map.lock(session, Referral, referral_id)


def count_by_state(session: Session) -> list[tuple[str, int]]:
    counted = select(referrals.c.state, func.count()).group_by(referrals.c.state).order_by(referrals.c.state)
    return [(state.value, count) for state, count in session.execute(counted)]


class Search(NamedTuple):
    """A referral with its open offer, its last match, and the number of the newest event about it."""

    referral: Referral
    offer: Offer | None
    last_match: Match | None
    number: int


_newer = matches.alias()


_LAST_MATCH = (
    select(_newer.c.id)
    .where(_newer.c.referral_id == referrals.c.id)
    .order_by(_newer.c.matched_at.desc(), _newer.c.id.desc())
    .limit(1)
    .correlate(referrals)
    .scalar_subquery()
)


def searches_after(session: Session, after: ReferralId | None, limit: int) -> list[Search]:
    """The next by identifier that are not erased, in one statement, so that each number fits what it comes with."""
    numbers = metadata.tables["subject_sequence"]
    wanted = (
        select(Referral, Offer, Match, func.coalesce(numbers.c.last, 0))
        .select_from(referrals)
        .outerjoin(numbers, numbers.c.subject_id == referrals.c.id)
        .outerjoin(offers, and_(offers.c.referral_id == referrals.c.id, offers.c.state == OfferState.OPEN))
        .outerjoin(matches, matches.c.id == _LAST_MATCH)
        .where(referrals.c.state != State.ERASED)
    )
    if after is not None:
        wanted = wanted.where(referrals.c.id > after)
    return [Search(*row) for row in session.execute(wanted.order_by(referrals.c.id).limit(limit))]


def _values(session: Session, wanted: Select[Any], **given: UUID) -> set[Any]:
    return set(session.execute(wanted, given).scalars())
