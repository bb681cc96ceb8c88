"""Finds and keeps what evaluation knows: referrals, matches, invitations, forms that came back, concerns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import (
    and_,
    bindparam,
    delete,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Session

from chassis.store import identity_map
from chassis.store.prepared import prepared
from contracts.vocabulary import (
    ConcernId,
    InvitationId,
    MatchId,
    PersonId,
    ReferralId,
    Respondent,
    Stage,
)
from services.evaluation.domain.change import Pair
from services.evaluation.domain.invitations import Concern, Invitation, Match, Referral, Response, State
from services.evaluation.store.tables import concerns, further_links, invitations, matches, referrals, responses

# Asked at every stage, so it is built once.
_INVITED = prepared(
    select(invitations.c.respondent).where(
        invitations.c.match_id == bindparam("match_id"), invitations.c.stage == bindparam("stage")
    )
)


@dataclass(frozen=True)
class Counts:
    """How many forms were asked for and came back."""

    invited: int
    returned: int


def referral_of(session: Session, referral_id: ReferralId) -> Referral:
    """What is known of a referral; a new row if that is nothing yet."""
    referral = identity_map.lock(session, Referral, referral_id)
    if referral is None:
        referral = Referral(referral_id=referral_id)
        session.add(referral)
    return referral


def find_match(session: Session, match_id: MatchId) -> Match | None:
    return identity_map.lock(session, Match, match_id)


def matches_of(session: Session, referral_id: ReferralId) -> list[Match]:
    wanted = select(Match).where(matches.c.referral_id == referral_id).order_by(matches.c.matched_at)
    return list(session.execute(wanted).scalars())


def invited_to(session: Session, match_id: MatchId, stage: Stage) -> set[Respondent]:
    """Who has been asked for the form of this stage before."""
    return set(session.execute(_INVITED, {"match_id": match_id, "stage": stage}).scalars())


def cancelled_invitations(session: Session, match_id: MatchId, stage: Stage) -> list[Invitation]:
    of_stage = (invitations.c.match_id == match_id, invitations.c.stage == stage)
    wanted = select(Invitation).where(*of_stage, invitations.c.state == State.CANCELLED).order_by(invitations.c.id)
    return list(session.execute(wanted.with_for_update()).scalars())


def find_by_token(session: Session, token_hash: bytes) -> Invitation | None:
    """By the link of the first letter, or of a reminder."""
    session.flush()
    further = select(further_links.c.invitation_id).where(further_links.c.token_hash == token_hash)
    wanted = select(Invitation).where(or_(invitations.c.token_hash == token_hash, invitations.c.id.in_(further)))
    return session.execute(wanted.with_for_update()).scalar_one_or_none()


def find_invitation(session: Session, invitation_id: InvitationId) -> Invitation | None:
    return identity_map.lock(session, Invitation, invitation_id)


def add_link(session: Session, invitation_id: InvitationId, token_hash: bytes) -> None:
    session.execute(further_links.insert().values(token_hash=token_hash, invitation_id=invitation_id))


def person_of(session: Session, referral_id: ReferralId) -> PersonId | None:
    """Whose a referral is; None if it has not been heard of."""
    found = select(referrals.c.person_id).where(referrals.c.referral_id == referral_id)
    return session.execute(found).scalar_one_or_none()


def are_one_person(session: Session, known_as: PersonId, person_id: PersonId) -> None:
    """What was taken for one person's turns out to be another's."""
    session.flush()
    session.execute(update(referrals).where(referrals.c.person_id == known_as).values(person_id=person_id))


def concern_of(session: Session, concern_id: ConcernId) -> Concern:
    """A concern; a new row if nothing was heard of it yet."""
    concern = identity_map.lock(session, Concern, concern_id)
    if concern is None:
        concern = Concern(concern_id=concern_id)
        session.add(concern)
    return concern


def forget_concerns(session: Session, referral_id: ReferralId) -> None:
    session.flush()
    session.execute(delete(concerns).where(concerns.c.referral_id == referral_id))


def has_open_concern(session: Session, referral_id: ReferralId) -> bool:
    session.flush()
    wanted = select(concerns.c.concern_id).where(concerns.c.referral_id == referral_id, concerns.c.settled_at.is_(None))
    return session.execute(wanted.limit(1)).first() is not None


def invitations_of(session: Session, referral_id: ReferralId) -> list[Invitation]:
    """The oldest first."""
    wanted = select(Invitation).where(invitations.c.referral_id == referral_id)
    return list(session.execute(wanted.order_by(invitations.c.invited_at, invitations.c.id)).scalars())


def open_invitations(session: Session, referral_id: ReferralId) -> list[Invitation]:
    wanted = select(Invitation).where(invitations.c.referral_id == referral_id, invitations.c.state == State.OPEN)
    return list(session.execute(wanted.with_for_update()).scalars())


def unlink_forms(session: Session, referral_id: ReferralId, new_id: Callable[[], UUID]) -> None:
    """Gives the forms that came back about a referral other identifiers, of which nobody keeps what they were before.

    The forms of one match stay together, so that change can still be measured.
    """
    returned = (invitations.c.referral_id == referral_id, invitations.c.state == State.RETURNED)
    session.flush()
    somebody, match_ids = new_id(), select(invitations.c.match_id).where(*returned).distinct()
    forms = select(invitations.c.id).where(*returned)
    for id_ in session.execute(forms).scalars().all():
        session.execute(update(responses).where(responses.c.invitation_id == id_).values(form_id=new_id()))
    for match_id in session.execute(match_ids).scalars().all():
        moved = update(invitations).where(*returned, invitations.c.match_id == match_id)
        session.execute(moved.values(match_id=new_id(), referral_id=somebody))


def find_response(session: Session, invitation_id: InvitationId) -> Response | None:
    return identity_map.find(session, Response, invitation_id)


def count_forms(session: Session, instrument: str, respondent: Respondent) -> Counts:
    """An invitation that was cancelled unanswered is not counted: nobody chose not to answer it."""
    asked = and_(invitations.c.instrument == instrument, invitations.c.respondent == respondent)
    counted = select(invitations.c.state, func.count()).where(asked).group_by(invitations.c.state)
    by_state = {state: count for state, count in session.execute(counted)}  # noqa: C416
    returned = by_state.get(State.RETURNED, 0)
    unanswered = by_state.get(State.OPEN, 0) + by_state.get(State.LAPSED, 0)
    return Counts(invited=returned + unanswered, returned=returned)


def pairs_of(session: Session, instrument: str, version: int, respondent: Respondent, until: Stage) -> list[Pair]:
    """The matches that were scored at the start and, after that, at the stage asked for.

    A client is one person in all their referrals.
    """
    before, after = invitations.alias("before"), invitations.alias("after")
    scored_before, scored_after = responses.alias("scored_before"), responses.alias("scored_after")
    client = func.coalesce(referrals.c.person_id, before.c.referral_id)
    person = client if respondent is Respondent.CLIENT else before.c.therapist_id
    wanted = (
        select(person, scored_before.c.score, scored_after.c.score)
        .join_from(before, after, and_(before.c.match_id == after.c.match_id, after.c.respondent == respondent))
        .outerjoin(referrals, referrals.c.referral_id == before.c.referral_id)
        .join(scored_before, scored_before.c.invitation_id == before.c.id)
        .join(scored_after, scored_after.c.invitation_id == after.c.id)
        .where(before.c.respondent == respondent, before.c.stage == Stage.START, after.c.stage == until)
        .where(before.c.instrument == instrument, before.c.instrument_version == version)
        .where(after.c.instrument == instrument, after.c.instrument_version == version)
        .where(scored_before.c.score.is_not(None), scored_after.c.score.is_not(None))
        .where(scored_before.c.submitted_at < scored_after.c.submitted_at)
    )
    return [Pair(UUID(str(person_id)), first, last) for person_id, first, last in session.execute(wanted)]
