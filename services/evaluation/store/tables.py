"""Evaluation's tables, and which aggregates are mapped to them."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    ForeignKey,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
)
from sqlalchemy.orm import registry

from chassis.store.tables import Instant, code, new_metadata
from contracts.vocabulary import (
    AgeBand,
    MatchEndReason,
    Respondent,
    Stage,
)
from services.evaluation.domain.invitations import Concern, Invitation, Match, Mode, Referral, Response, State

metadata = new_metadata()


mapper = registry(metadata=metadata)


referrals = Table(
    "referral",
    metadata,
    Column("referral_id", Uuid, primary_key=True),
    Column("consented", Boolean),
    Column("age_band", code(AgeBand)),
    Column("withdrawn_at", Instant),
    Column("age_years", Integer),
    Column("person_id", Uuid, index=True),
    Column("received_sequence", Integer, nullable=False, server_default="0"),
    Column("standing_sequence", Integer, nullable=False, server_default="0"),
)


matches = Table(
    "match",
    metadata,
    Column("match_id", Uuid, primary_key=True),
    Column("referral_id", Uuid, nullable=False, index=True),
    Column("therapist_id", Uuid, nullable=False),
    Column("matched_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("end_reason", code(MatchEndReason)),
)


invitations = Table(
    "invitation",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("match_id", Uuid, nullable=False),
    Column("referral_id", Uuid, nullable=False, index=True),
    Column("therapist_id", Uuid, nullable=False),
    Column("respondent", code(Respondent), nullable=False),
    Column("stage", code(Stage), nullable=False),
    Column("instrument", String(64), nullable=False),
    Column("instrument_version", Integer, nullable=False),
    Column("token_hash", LargeBinary(32), nullable=False, unique=True),
    Column("invited_at", Instant, nullable=False),
    Column("state", code(State), nullable=False),
    Column("settled_at", Instant),
    Column("reminders", Integer, nullable=False, server_default="0"),
    UniqueConstraint("match_id", "respondent", "stage"),
)


responses = Table(
    "response",
    metadata,
    Column("invitation_id", Uuid, ForeignKey("invitation.id"), primary_key=True),
    Column("form_id", Uuid, nullable=False, unique=True),
    Column("answers_mark", LargeBinary(32), nullable=False),
    Column("score", Float),
    Column("missing", Integer, nullable=False),
    Column("submitted_at", Instant, nullable=False),
    Column("mode", code(Mode), nullable=False, server_default=Mode.ONLINE.value),
    Column("entered_by", String(120)),
)


# The links of reminders. The first letter's is the invitation's own.
further_links = Table(
    "further_link",
    metadata,
    Column("token_hash", LargeBinary(32), primary_key=True),
    Column("invitation_id", Uuid, nullable=False),
)


concerns = Table(
    "concern",
    metadata,
    Column("concern_id", Uuid, primary_key=True),
    Column("referral_id", Uuid, index=True),
    Column("settled_at", Instant),
)


unreadable = Table(
    "unreadable",
    metadata,
    Column("submission_id", Uuid, primary_key=True),
    Column("sealed", Text, nullable=False),
    Column("received_at", Instant, nullable=False),
)


mapper.map_imperatively(Referral, referrals)


mapper.map_imperatively(Match, matches)


mapper.map_imperatively(Invitation, invitations)


mapper.map_imperatively(Response, responses)


mapper.map_imperatively(Concern, concerns)
