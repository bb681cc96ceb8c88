"""What web front-ends publish, on `web.events`. They publish and read nothing of each other's."""

from __future__ import annotations

from typing import Annotated

from marshmallow import validate

from contracts.event import Event
from contracts.shape import SealedTo
from contracts.vocabulary import Slug, SubmissionId

MAX_SEALED_CHARACTERS = 65_536


class HelpRequested(Event, publisher="web", subject="submission_id"):
    """Somebody asked for help. All they wrote is sealed to intake; `form` says which questions they were asked."""

    submission_id: SubmissionId
    form: Slug
    form_version: Annotated[int, validate.Range(min=1, max=10_000)]
    sealed: Annotated[str, SealedTo("intake"), validate.Length(min=1, max=MAX_SEALED_CHARACTERS)]


class WithdrawalRequested(Event, publisher="web", subject="submission_id"):
    """Somebody wants their request taken back. The reference and the passphrase are sealed to intake."""

    submission_id: SubmissionId
    sealed: Annotated[str, SealedTo("intake"), validate.Length(min=1, max=MAX_SEALED_CHARACTERS)]


class EvaluationReturned(Event, publisher="web", subject="submission_id"):
    """An evaluation form came back. The invitation's token and the answers are sealed to evaluation."""

    submission_id: SubmissionId
    sealed: Annotated[str, SealedTo("evaluation"), validate.Length(min=1, max=MAX_SEALED_CHARACTERS)]


class OfferAnswered(Event, publisher="web", subject="submission_id"):
    """A therapist answered an offer by the link in its letter (an `OfferAnswer`, sealed to matching)."""

    submission_id: SubmissionId
    sealed: Annotated[str, SealedTo("matching"), validate.Length(min=1, max=MAX_SEALED_CHARACTERS)]


class AlertAnswered(Event, publisher="web", subject="submission_id"):
    """Somebody on duty took a safeguarding concern in hand by the link that alerted them.

    It holds an `AlertAnswer`, sealed to notifications, and is heard in their urgent lane.
    """

    submission_id: SubmissionId
    sealed: Annotated[str, SealedTo("notifications"), validate.Length(min=1, max=MAX_SEALED_CHARACTERS)]


class TherapyReported(Event, publisher="web", subject="submission_id"):
    """A therapist said, by the page of their introduction, how it goes on with the client.

    It holds a `TherapyAnswer`, sealed to notifications, which made the link and tells whom it concerns in
    `TherapyReportAccepted`.
    """

    submission_id: SubmissionId
    sealed: Annotated[str, SealedTo("notifications"), validate.Length(min=1, max=MAX_SEALED_CHARACTERS)]
