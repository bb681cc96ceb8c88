"""Referrals and the steps that each has taken."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, func, select
from sqlalchemy.orm import Session

from chassis.store import identity_map
from chassis.store.prepared import prepared
from contracts.vocabulary import ReferralId, SubmissionId
from services.intake.domain.referral import Referral
from services.intake.domain.states import UNASSESSED, State, Step
from services.intake.store.tables import metadata, referrals, steps

# Every request and assessment runs these, so they are built once.
_BY_REFERENCE = prepared(select(Referral).where(referrals.c.reference == bindparam("reference")).with_for_update())

_BY_SUBMISSION = prepared(select(Referral).where(referrals.c.submission_id == bindparam("submission_id")))

_HISTORY = prepared(select(steps).where(steps.c.referral_id == bindparam("referral_id")).order_by(steps.c.number))


class NoSuchReferral(LookupError):
    """Intake holds no referral of this identity."""


def get_referral(session: Session, referral_id: ReferralId) -> Referral:
    """Raises NoSuchReferral."""
    referral = find_referral(session, referral_id)
    if referral is None:
        raise NoSuchReferral(f"there is no referral {referral_id}")
    return referral


def find_referral(session: Session, referral_id: ReferralId) -> Referral | None:
    return identity_map.lock(session, Referral, referral_id)


def previous_of(session: Session, referral_id: ReferralId) -> ReferralId | None:
    """The referral that this one takes up again."""
    return session.execute(select(referrals.c.previous_id).where(referrals.c.id == referral_id)).scalar_one_or_none()


def find_by_reference(session: Session, reference: str) -> Referral | None:
    return session.execute(_BY_REFERENCE, {"reference": reference}).scalar_one_or_none()


def id_of_reference(session: Session, reference: str) -> ReferralId | None:
    """Whose reference it is, locking nothing."""
    return session.execute(select(referrals.c.id).where(referrals.c.reference == reference)).scalar_one_or_none()


def find_by_submission(session: Session, submission_id: SubmissionId) -> Referral | None:
    return session.execute(_BY_SUBMISSION, {"submission_id": submission_id}).scalar_one_or_none()


def awaiting_assessment(session: Session, limit: int) -> list[Referral]:
    """The longest waiting first."""
    waiting = select(Referral).where(referrals.c.state.in_(UNASSESSED)).order_by(referrals.c.received_at)
    return list(session.execute(waiting.limit(limit)).scalars())


def takers_of(session: Session, step: Step, referral_ids: Iterable[ReferralId]) -> dict[ReferralId, str]:
    """Who last took this step, by referral."""
    wanted = select(steps.c.referral_id, steps.c.taken_by).where(
        steps.c.step == step, steps.c.referral_id.in_(list(referral_ids))
    )
    return {ReferralId(id_): by for id_, by in session.execute(wanted.order_by(steps.c.number))}


def history_of(session: Session, referral_id: ReferralId) -> Sequence[Row[Any]]:
    """Every step of a referral, the oldest first."""
    session.flush()
    return session.execute(_HISTORY, {"referral_id": referral_id}).all()


def page_after(session: Session, after: ReferralId | None, limit: int) -> list[tuple[Referral, int]]:
    """The next referrals by identifier that are not erased, each with the number of the newest event about it."""
    numbers = metadata.tables["subject_sequence"].c
    wanted = (
        select(Referral, func.coalesce(numbers.last, 0))
        .outerjoin_from(referrals, numbers.subject_id.table, numbers.subject_id == referrals.c.id)
        .where(referrals.c.state != State.ERASED)
    )
    if after is not None:
        wanted = wanted.where(referrals.c.id > after)
    return [(row[0], row[1]) for row in session.execute(wanted.order_by(referrals.c.id).limit(limit))]


def histories_of(session: Session, referral_ids: Iterable[ReferralId]) -> dict[ReferralId, list[Row[Any]]]:
    """Every step of each referral, the oldest first."""
    wanted = select(steps).where(steps.c.referral_id.in_(list(referral_ids)))
    histories: dict[ReferralId, list[Row[Any]]] = defaultdict(list)
    for row in session.execute(wanted.order_by(steps.c.referral_id, steps.c.number)):
        histories[row.referral_id].append(row)
    return histories


def last_taken(session: Session, referral_id: ReferralId, step: Step, *, since: Collection[Step]) -> datetime | None:
    """When a step was last taken, unless one of the others came after it."""
    last = None
    for taken in history_of(session, referral_id):
        if taken.step is step:
            last = taken.taken_at
        elif taken.step in since:
            last = None
    return last


def taken_up_by(session: Session, referral_id: ReferralId) -> frozenset[ReferralId]:
    """The newer referrals of somebody who asked again."""
    newer = select(referrals.c.id).where(referrals.c.previous_id == referral_id)
    return frozenset(map(ReferralId, session.execute(newer).scalars()))


def who_took(session: Session, taken: Iterable[Step], referral_ids: Iterable[ReferralId]) -> set[str]:
    """The names of those who took any of these steps with any of these referrals."""
    wanted = select(steps.c.taken_by).where(steps.c.step.in_(list(taken)), steps.c.referral_id.in_(list(referral_ids)))
    return set(session.execute(wanted).scalars())


def count_by_state(session: Session) -> list[tuple[str, int]]:
    counted = select(referrals.c.state, func.count()).group_by(referrals.c.state).order_by(referrals.c.state)
    return [(state.value, count) for state, count in session.execute(counted)]


def references_of(session: Session, referral_ids: Iterable[ReferralId]) -> list[tuple[ReferralId, str]]:
    wanted = select(referrals.c.id, referrals.c.reference).where(referrals.c.id.in_(list(referral_ids)))
    return [(row.id, row.reference) for row in session.execute(wanted)]
