"""Asking for a form: one secret link for each person, match and stage."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from chassis.ports import UnitOfWork
from chassis.privacy.one_time_links import hash_of, new_token
from contracts.events.evaluation import EvaluationInvitationCancelled, EvaluationInvited
from contracts.sealed import LinkSecret
from contracts.vocabulary import InvitationId, Respondent, Stage
from services.evaluation.dependencies import Dependencies
from services.evaluation.domain.instruments import Instrument
from services.evaluation.domain.invitations import Invitation, Match, Referral
from services.evaluation.store import repository

REVIEW, FOLLOW_UP, CHASE = "invite_to_review", "invite_to_follow_up", "chase"


def invite_both(unit: UnitOfWork[Dependencies], match: Match, stage: Stage) -> None:
    """Asks the therapist, and the client if they agreed to evaluation and are of an age that an instrument is made for.

    Nobody once the referral was withdrawn.
    """
    referral = repository.referral_of(unit.session, match.referral_id)
    if referral.is_withdrawn:
        return
    for cancelled in repository.cancelled_invitations(unit.session, match.match_id, stage):
        _ask_again(unit, cancelled)
    invited = repository.invited_to(unit.session, match.match_id, stage)
    for respondent in Respondent:
        instrument = unit.dependencies.instrument_for(respondent, referral)
        if instrument and respondent not in invited:
            _invite(unit, match, respondent, stage, instrument)


def chase(unit: UnitOfWork[Dependencies], invitation: Invitation) -> None:
    """Reminds whoever has not answered, unless a concern about the referral is open, or ends the link in time."""
    if not invitation.is_open:
        return
    reminders = unit.dependencies.settings.reminders_after
    if invitation.reminders >= len(reminders):
        invitation.lapse(at=unit.now)
        return
    invitation.reminders += 1
    if not repository.has_open_concern(unit.session, invitation.referral_id):
        token = new_token()
        repository.add_link(unit.session, invitation.id, hash_of(token))
        _announce(unit, invitation, token)
    unit.set_timer(CHASE, invitation.id, _next_chase(unit, invitation))


def take_back(unit: UnitOfWork[Dependencies], match: Match, *, stages: Collection[Stage] = tuple(Stage)) -> None:
    """Nobody need fill in what they were asked for in these stages of a match; a letter on its way is stopped."""
    for invitation in repository.open_invitations(unit.session, match.referral_id):
        if invitation.match_id == match.match_id and invitation.stage in stages:
            _cancel(unit, invitation)


def ask_client_no_more(unit: UnitOfWork[Dependencies], referral: Referral) -> None:
    """The client has taken back that they may be asked how it goes."""
    for invitation in repository.open_invitations(unit.session, referral.referral_id):
        if invitation.respondent is Respondent.CLIENT:
            _cancel(unit, invitation)


def stop(unit: UnitOfWork[Dependencies], referral: Referral) -> None:
    """Nobody is asked anything more about a referral, and no link to it works any longer."""
    for invitation in repository.open_invitations(unit.session, referral.referral_id):
        invitation.cancel(at=unit.now)
    for match in repository.matches_of(unit.session, referral.referral_id):
        stop_timers(unit, match)


def stop_timers(unit: UnitOfWork[Dependencies], match: Match) -> None:
    unit.cancel_timer(REVIEW, match.match_id)
    unit.cancel_timer(FOLLOW_UP, match.match_id)


def _cancel(unit: UnitOfWork[Dependencies], invitation: Invitation) -> None:
    invitation.cancel(at=unit.now)
    unit.emit(
        EvaluationInvitationCancelled(
            invitation_id=invitation.id,
            referral_id=invitation.referral_id,
            therapist_id=invitation.therapist_id,
            respondent=invitation.respondent,
            stage=invitation.stage,
            invited_at=invitation.invited_at,
        )
    )


def _next_chase(unit: UnitOfWork[Dependencies], invitation: Invitation) -> datetime:
    policy = unit.dependencies.settings
    return invitation.invited_at + (*policy.reminders_after, policy.link_lasts)[invitation.reminders]


def _invite(
    unit: UnitOfWork[Dependencies], match: Match, respondent: Respondent, stage: Stage, instrument: Instrument
) -> None:
    token = new_token()
    invitation = Invitation(
        id=InvitationId(unit.new_id()),
        match_id=match.match_id,
        referral_id=match.referral_id,
        therapist_id=match.therapist_id,
        respondent=respondent,
        stage=stage,
        instrument=instrument.code,
        instrument_version=instrument.version,
        token_hash=hash_of(token),
        invited_at=unit.now,
    )
    unit.session.add(invitation)
    unit.set_timer(CHASE, invitation.id, _next_chase(unit, invitation))
    _announce(unit, invitation, token)


def _ask_again(unit: UnitOfWork[Dependencies], invitation: Invitation) -> None:
    token = new_token()
    invitation.ask_again(token_hash=hash_of(token), at=unit.now)
    unit.set_timer(CHASE, invitation.id, _next_chase(unit, invitation))
    _announce(unit, invitation, token)


def _announce(unit: UnitOfWork[Dependencies], invitation: Invitation, token: str) -> None:
    unit.emit(
        EvaluationInvited(
            invitation_id=invitation.id,
            referral_id=invitation.referral_id,
            therapist_id=invitation.therapist_id,
            respondent=invitation.respondent,
            stage=invitation.stage,
            instrument=invitation.instrument,
            reminder=invitation.reminders,
            sealed=unit.dependencies.keyring.seal("notifications", LinkSecret(token=token)),
            invited_at=invitation.invited_at,
        )
    )
