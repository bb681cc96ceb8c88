"""Match keys, the pairs of referrals that have one in common, and those a person told apart."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, bindparam, func, select
from sqlalchemy.orm import Session, aliased

from chassis.store.prepared import prepared
from chassis.store.unit_of_work import upsert
from contracts.commands.duplicates import TellApart
from contracts.vocabulary import MarkKind, ReferralId
from services.intake.domain.referral import Referral
from services.intake.store.tables import match_keys, personal_records, possible_duplicates, referrals, told_apart

# Every request runs these, so they are built once.
_NEW_MATCH_KEY = prepared(match_keys.insert())

_ALIKE = (
    select(match_keys.c.referral_id, match_keys.c.kind)
    .where(match_keys.c.mark.in_(bindparam("marks", expanding=True)))
    .order_by(match_keys.c.referral_id.desc())
    .limit(50)
)

_LATER, _EARLIER = referrals.alias("later"), referrals.alias("earlier")

_TOLD_APART = (
    select(told_apart.c.referral_id)
    .where(
        told_apart.c.referral_id == possible_duplicates.c.referral_id,
        told_apart.c.other_id == possible_duplicates.c.other_id,
    )
    .exists()
)


class Pair(NamedTuple):
    """Two referrals that may be one person's, the later first, and what they have in common."""

    referral: Referral
    other: Referral
    alike: tuple[MarkKind, ...]
    found_at: datetime


def save_match_keys(session: Session, referral_id: ReferralId, found: Mapping[MarkKind, bytes]) -> None:
    rows = [{"referral_id": referral_id, "kind": kind, "mark": match_key} for kind, match_key in found.items()]
    session.execute(_NEW_MATCH_KEY, rows)


def delete_match_keys(session: Session, referral_id: ReferralId) -> None:
    session.execute(match_keys.delete().where(match_keys.c.referral_id == referral_id))


def save_pairs(
    session: Session,
    referral: Referral,
    found: Collection[bytes],
    at: datetime,
    *,
    but: Collection[ReferralId] = (),
) -> None:
    """Records which other referrals have one of these match keys, except those in `but`; of very many the newest."""
    alike = session.execute(_ALIKE, {"marks": list(found)}).all()
    pairs = [
        {"referral_id": max(referral.id, id_), "other_id": min(referral.id, id_), "kind": kind, "found_at": at}
        for id_, kind in alike
        if id_ != referral.previous_id and id_ not in but
    ]
    if pairs:
        session.execute(upsert(session, possible_duplicates).on_conflict_do_nothing(), pairs)


def find_alike(session: Session, found: Collection[bytes], limit: int) -> tuple[int, list[Referral]]:
    """How many referrals have one of these match keys, and the newest of them."""
    alike = select(match_keys.c.referral_id).where(match_keys.c.mark.in_(list(found))).distinct()
    count = session.execute(select(func.count()).select_from(alike.subquery())).scalar_one()
    newest = select(Referral).where(referrals.c.id.in_(alike)).order_by(referrals.c.received_at.desc(), referrals.c.id)
    return count, list(session.execute(newest.limit(limit)).scalars())


def find_pairs(session: Session, referral_id: ReferralId | None, limit: int) -> list[Pair]:
    """Pairs of which neither is merged into another, nor told apart, the newest first. Of one referral, or of all."""
    pair = possible_duplicates.c
    wanted = _undecided(aliased(Referral, _LATER), aliased(Referral, _EARLIER), pair.kind, pair.found_at).order_by(
        pair.found_at.desc(), pair.referral_id, pair.other_id, pair.kind
    )
    if referral_id is not None:
        wanted = wanted.where((pair.referral_id == referral_id) | (pair.other_id == referral_id))
    pairs: dict[tuple[ReferralId, ReferralId], Pair] = {}
    for later, earlier, kind, at in session.execute(wanted.limit(limit * len(MarkKind))):
        known = pairs.get((later.id, earlier.id))
        pairs[later.id, earlier.id] = Pair(later, earlier, (*(known.alike if known else ()), kind), at)
    return list(pairs.values())[:limit]


def count_pairs(session: Session) -> int:
    """How many pairs `find_pairs` would find of all."""
    pairs = _undecided(possible_duplicates.c.referral_id, possible_duplicates.c.other_id).distinct().subquery()
    return session.execute(select(func.count()).select_from(pairs)).scalar_one()


def _undecided(*wanted: Any) -> Select[Any]:
    """What is wanted of pairs of which neither is merged into another, nor told apart."""
    joined = possible_duplicates.join(_LATER, _LATER.c.id == possible_duplicates.c.referral_id).join(
        _EARLIER, _EARLIER.c.id == possible_duplicates.c.other_id
    )
    return (
        select(*wanted)
        .select_from(joined)
        .where(_LATER.c.merged_into.is_(None), _EARLIER.c.merged_into.is_(None), ~_TOLD_APART)
    )


def tell_apart(
    session: Session, first_id: ReferralId, second_id: ReferralId, told: TellApart, *, by: str, at: datetime
) -> bool:
    """False if somebody had told them apart before."""
    later, earlier = max(first_id, second_id), min(first_id, second_id)
    row = {"referral_id": later, "other_id": earlier, "told_at": at, "told_by": by, "reason": told.reason}
    added = upsert(session, told_apart).values(row).on_conflict_do_nothing().returning(told_apart.c.other_id)
    return session.execute(added).first() is not None


def without_match_keys(session: Session, after: ReferralId | None, limit: int) -> list[Referral]:
    """Referrals that are not erased and have no match key, the oldest first, after this one."""
    has_match_key = select(match_keys.c.referral_id).where(match_keys.c.referral_id == referrals.c.id).exists()
    wanted = (
        select(Referral).join(personal_records, personal_records.c.referral_id == referrals.c.id).where(~has_match_key)
    )
    if after is not None:
        wanted = wanted.where(referrals.c.id > after)
    return list(session.execute(wanted.order_by(referrals.c.id).limit(limit)).scalars())
