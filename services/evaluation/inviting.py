"""Asking for a form: one secret link for each person, match and stage."""

from __future__ import annotations

import hashlib
import secrets

from chassis.ports import Unit
from contracts.events.evaluation import EvaluationInvited
from contracts.sealed import EvaluationLink
from contracts.vocabulary import InvitationId, Respondent, Stage
from services.evaluation import store
from services.evaluation.domain.invitations import Invitation, Match, Referral
from services.evaluation.tools import Tools

TOKEN_BYTES = 24
REVIEW, FOLLOW_UP = "invite_to_review", "invite_to_follow_up"


def invite_both(unit: Unit[Tools], match: Match, stage: Stage) -> None:
    """Asks the therapist, and the client if they agreed to evaluation; nobody once the referral was withdrawn."""
    referral = store.referral_of(unit.session, match.referral_id)
    if referral.is_withdrawn:
        return
    invited = store.invited_to(unit.session, match.match_id, stage)
    for respondent in Respondent:
        may_be_asked = respondent is Respondent.THERAPIST or referral.may_be_asked(
            unit.tools.instrument_for(respondent)
        )
        if may_be_asked and respondent not in invited:
            _invite(unit, match, respondent, stage)


def stop(unit: Unit[Tools], referral: Referral) -> None:
    """Nobody is asked anything more about a referral, and no link to it works any longer."""
    for invitation in store.open_invitations(unit.session, referral.referral_id):
        invitation.cancel(at=unit.now)
    for match in store.matches_of(unit.session, referral.referral_id):
        stop_timers(unit, match)


def stop_timers(unit: Unit[Tools], match: Match) -> None:
    unit.cancel_timer(REVIEW, match.match_id)
    unit.cancel_timer(FOLLOW_UP, match.match_id)


def hash_of(token: str) -> bytes:
    """What is kept of a token. It is long and random, so a plain hash can't be guessed backwards."""
    return hashlib.sha256(token.encode()).digest()


def _invite(unit: Unit[Tools], match: Match, respondent: Respondent, stage: Stage) -> None:
    token = secrets.token_urlsafe(TOKEN_BYTES)
    instrument = unit.tools.instrument_for(respondent)
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
    _announce(unit, invitation, token)


def _announce(unit: Unit[Tools], invitation: Invitation, token: str) -> None:
    unit.emit(
        EvaluationInvited(
            invitation_id=invitation.id,
            referral_id=invitation.referral_id,
            therapist_id=invitation.therapist_id,
            respondent=invitation.respondent,
            stage=invitation.stage,
            instrument=invitation.instrument,
            sealed=unit.tools.keyring.seal("notifications", EvaluationLink(token=token)),
        )
    )
