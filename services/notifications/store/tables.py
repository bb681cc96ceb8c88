"""Notifications' tables, and which aggregates are mapped to them."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Date,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    Uuid,
    false,
)
from sqlalchemy.orm import registry

from chassis.store.append_only import forbid_changes
from chassis.store.tables import Instant, code, data_key_table, new_metadata
from contracts.vocabulary import (
    AlertStep,
    Channel,
    ConcernCategory,
    ConcernOutcome,
    FailureReason,
    Severity,
    SuspensionReason,
)
from services.notifications.domain.alert_links import AlertLink
from services.notifications.domain.alerts import Alert
from services.notifications.domain.introductions import Introduction, Link, Right, Therapy
from services.notifications.domain.messages import Message, State
from services.notifications.domain.people import Client, Therapist
from services.notifications.domain.rota import Staff
from services.notifications.domain.templates import Recipient, Template

metadata = new_metadata()

mapper = registry(metadata=metadata)

data_keys = data_key_table(metadata)

clients = Table(
    "client",
    metadata,
    Column("referral_id", Uuid, primary_key=True),
    Column("contact", LargeBinary),
    Column("contact_sequence", Integer, nullable=False),
    Column("withdrawn_at", Instant),
    Column("removed_at", Instant),
    Column("standing_sequence", Integer, nullable=False, server_default="0"),
    Column("keep_until", Instant),
)

therapists = Table(
    "therapist",
    metadata,
    Column("therapist_id", Uuid, primary_key=True),
    Column("contact", LargeBinary, nullable=False),
    Column("contact_sequence", Integer, nullable=False),
)

messages = Table(
    "message",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("business_key", String(160), nullable=False, unique=True),
    Column("template", code(Template), nullable=False),
    Column("recipient", code(Recipient), nullable=False),
    Column("channel", code(Channel), nullable=False),
    Column("state", code(State), nullable=False),
    Column("data", JSON, nullable=False),
    Column("sealed", Text),
    Column("referral_id", Uuid, index=True),
    Column("therapist_id", Uuid, index=True),
    Column("concern_id", Uuid, index=True),
    Column("queued_at", Instant, nullable=False),
    Column("settled_at", Instant),
    Column("failure", code(FailureReason)),
    Column("wording", String(64)),
)

alerts = Table(
    "alert",
    metadata,
    Column("concern_id", Uuid, primary_key=True),
    Column("referral_id", Uuid, nullable=False, index=True),
    Column("severity", code(Severity), nullable=False),
    Column("category", code(ConcernCategory), nullable=False),
    Column("raised_at", Instant, nullable=False),
    Column("step", code(AlertStep), nullable=False),
    Column("rounds", Integer, nullable=False),
    Column("escalates_at", Instant),
    Column("reached_at", Instant),
    Column("acknowledged_by", String(120)),
    Column("acknowledged_at", Instant, index=True),
    Column("is_test", Boolean, nullable=False, server_default=false()),
)

alert_links = Table(
    "alert_link",
    metadata,
    Column("token_hash", LargeBinary(32), primary_key=True),
    Column("message_id", Uuid, nullable=False, unique=True),
    Column("concern_id", Uuid, nullable=False),
    Column("step", code(AlertStep), nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("sent_at", Instant),
    Column("staff_id", Uuid),
)

outcomes = Table(
    "concern_outcome",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("concern_id", Uuid, nullable=False, index=True),
    Column("outcome", code(ConcernOutcome), nullable=False),
    Column("decided_by", String(120), nullable=False),
    Column("decided_at", Instant, nullable=False),
    Column("reason", LargeBinary, nullable=False),
)

forbid_changes(outcomes, "outcomes of concerns are only ever added", ("id",))

staff = Table(
    "staff",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("contact", LargeBinary, nullable=False),
)

duties = Table(
    "duty",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("staff_id", Uuid, nullable=False),
    Column("step", code(AlertStep), nullable=False),
    Column("starts_on", Date, nullable=False),
    Column("ends_on", Date, nullable=False, index=True),
    Column("bank_holidays", Boolean, nullable=False),
)

leave = Table(
    "leave",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("staff_id", Uuid, nullable=False),
    Column("starts_on", Date, nullable=False),
    Column("ends_on", Date, nullable=False, index=True),
)

latest_facts = Table(
    "latest_fact",
    metadata,
    Column("subject_id", Uuid, primary_key=True),
    Column("topic", String(64), primary_key=True),
    Column("sequence", Integer, nullable=False),
)
"""The newest fact about each subject and topic, so that an older one that comes late is dropped."""

introductions = Table(
    "introduction",
    metadata,
    Column("referral_id", Uuid, primary_key=True),
    Column("therapist_id", Uuid, primary_key=True),
    Column("contact", LargeBinary),
    Column("contact_sequence", Integer, nullable=False),
    Column("code_hash", LargeBinary(32)),
    Column("code_made_at", Instant),
    Column("code_tries", Integer, nullable=False),
)

introduction_links = Table(
    "introduction_link",
    metadata,
    Column("token_hash", LargeBinary(32), primary_key=True),
    Column("referral_id", Uuid, nullable=False, index=True),
    Column("therapist_id", Uuid, nullable=False),
    Column("made_at", Instant, nullable=False),
)

introduction_rights = Table(
    "introduction_right",
    metadata,
    Column("right_hash", LargeBinary(32), primary_key=True),
    Column("referral_id", Uuid, nullable=False, index=True),
    Column("therapist_id", Uuid, nullable=False),
    Column("until", Instant, nullable=False),
)

therapies = Table(
    "therapy",
    metadata,
    Column("match_id", Uuid, primary_key=True),
    Column("referral_id", Uuid, nullable=False, index=True),
    Column("therapist_id", Uuid, nullable=False),
    Column("matched_at", Instant),
    Column("ended_at", Instant),
    Column("end_sequence", Integer, nullable=False),
    Column("first_session_on", Date),
    Column("attendance_sequence", Integer, nullable=False),
    Column("contact_made_on", Date),
    Column("not_attended", Boolean, nullable=False),
)

suspensions = Table(
    "therapist_suspension",
    metadata,
    Column("therapist_id", Uuid, primary_key=True),
    Column("reason", code(SuspensionReason), primary_key=True),
)
"""Why a therapist is suspended at the moment; one who isn't has no row."""

mapper.map_imperatively(Client, clients)
mapper.map_imperatively(AlertLink, alert_links)
mapper.map_imperatively(Therapist, therapists)
mapper.map_imperatively(Message, messages)
mapper.map_imperatively(Alert, alerts)
mapper.map_imperatively(Staff, staff)
mapper.map_imperatively(Introduction, introductions)
mapper.map_imperatively(Link, introduction_links)
mapper.map_imperatively(Right, introduction_rights)
mapper.map_imperatively(Therapy, therapies)
