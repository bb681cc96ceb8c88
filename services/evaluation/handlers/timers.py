"""What evaluation does at each time it has set itself."""

from __future__ import annotations

from uuid import UUID

from chassis.ports import Timer, UnitOfWork
from contracts.vocabulary import InvitationId, MatchId, Stage
from services.evaluation.application import invitations
from services.evaluation.application.invitations import invite_both
from services.evaluation.dependencies import Dependencies
from services.evaluation.domain.invitations import Match
from services.evaluation.store import repository


def chase(unit: UnitOfWork[Dependencies], timer: Timer) -> None:
    """It is time for a reminder, or for a link to end."""
    invitation = repository.find_invitation(unit.session, InvitationId(UUID(timer.key)))
    if invitation:
        invitations.chase(unit, invitation)


def invite_to_review(unit: UnitOfWork[Dependencies], timer: Timer) -> None:
    match = _match_of(unit, timer)
    if match and not match.has_ended:
        invite_both(unit, match, Stage.REVIEW)


def invite_to_follow_up(unit: UnitOfWork[Dependencies], timer: Timer) -> None:
    """Says nothing if the client has begun anew with another therapist: that work has forms of its own."""
    match = _match_of(unit, timer)
    if match and repository.matches_of(unit.session, match.referral_id)[-1] is match:
        invite_both(unit, match, Stage.FOLLOW_UP)


def _match_of(unit: UnitOfWork[Dependencies], timer: Timer) -> Match | None:
    return repository.find_match(unit.session, MatchId(UUID(timer.key)))
