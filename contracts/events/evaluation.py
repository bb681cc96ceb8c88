"""What evaluation publishes, on `evaluation.events`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from marshmallow import validate

from contracts.event import Event
from contracts.shape import SealedTo
from contracts.vocabulary import FormId, InvitationId, ReferralId, Respondent, Slug, Stage, TherapistId


class EvaluationInvited(Event, publisher="evaluation", subject="referral_id"):
    """A client or a therapist was asked for a form. The link is sealed to notifications (`LinkSecret`).

    Who is asked once more, after that was cancelled, is asked by the same invitation with a later `invited_at`.
    Said again, with a link of its own, as the first, second … `reminder`.
    """

    invitation_id: InvitationId
    referral_id: ReferralId
    therapist_id: TherapistId
    respondent: Respondent
    stage: Stage
    instrument: Slug
    reminder: Annotated[int, validate.Range(min=0, max=100)] = 0
    sealed: Annotated[str, SealedTo("notifications"), validate.Length(min=1, max=16_384)]
    invited_at: datetime | None = None


class EvaluationInvitationCancelled(Event, publisher="evaluation", subject="referral_id"):
    """A form need not be filled in any more, since what it was asked for is not so: a letter about it is pointless."""

    invitation_id: InvitationId
    referral_id: ReferralId
    therapist_id: TherapistId
    respondent: Respondent
    stage: Stage
    invited_at: datetime


class EvaluationSubmitted(Event, publisher="evaluation", subject="referral_id"):
    """A form came back and was scored by its instrument's published rules."""

    form_id: FormId
    referral_id: ReferralId
    respondent: Respondent
    stage: Stage
    instrument: Slug
    score: Annotated[float, validate.Range(min=0, max=1_000)]
    submitted_at: datetime


class EvaluationRiskFlagged(Event, publisher="evaluation", subject="referral_id"):
    """An answer asks for a person's attention whatever the total; intake raises a concern."""

    form_id: FormId
    referral_id: ReferralId
    instrument: Slug
    item: Slug


class ErasureConfirmed(Event, publisher="evaluation", subject="referral_id"):
    """Evaluation has forgotten whom an erased referral's forms were about; the scores stay, about nobody."""

    referral_id: ReferralId
