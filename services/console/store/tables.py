"""The console's tables: what it lists, and the archive of events that it is made from."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    String,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.orm import registry

from chassis.store.tables import Instant, code, new_metadata
from contracts.commands.console import WorkQueue
from contracts.vocabulary import (
    AgeBand,
    AlertStep,
    ClientGroup,
    Competence,
    ConcernCategory,
    ConcernOutcome,
    PlaceKind,
    RiskLevel,
    Route,
    Sessions,
    Severity,
    Work,
)
from services.console.domain.queues import QueueLength
from services.console.domain.referral import Concern, Referral

metadata = new_metadata()


mapper = registry(metadata=metadata)


referrals = Table(
    "referral",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("heard_at", Instant, nullable=False),
    Column("step", Integer, nullable=False),
    Column("state", String(64)),
    Column("state_since", Instant),
    Column("reason", String(64)),
    Column("assess_by", Instant),
    Column("needs_safeguarding_lead", Boolean, nullable=False),
    Column("place", code(PlaceKind), nullable=False),
    Column("assigned_to", Uuid, index=True),
    Column("assigned_by_hand", Boolean, nullable=False),
    Column("handed_over_at", Instant),
    Column("received_number", Integer, nullable=False),
    Column("received_at", Instant),
    Column("route", code(Route)),
    Column("client_group", code(ClientGroup)),
    Column("age_band", code(AgeBand)),
    Column("local_authority", String(9)),
    Column("language", String(3)),
    Column("sessions", code(Sessions)),
    Column("previous_referral_id", Uuid),
    Column("assessed_number", Integer, nullable=False),
    Column("assessed_at", Instant),
    Column("risk_level", code(RiskLevel)),
    Column("competence", code(Competence)),
    Column("work", code(Work)),
    Column("matching_number", Integer, nullable=False),
    Column("offers_made", Integer, nullable=False),
    Column("offered_to", Uuid),
    Column("offer_expires_at", Instant),
    Column("offer_distance_km", Float),
    Column("stalled_for", String(64)),
    Column("match_id", Uuid),
    Column("therapist_id", Uuid),
    Column("matched_at", Instant),
    Column("unrecorded_match", Uuid),
    Column("subsidy_number", Integer, nullable=False),
    Column("subsidy", String(40)),
)


concerns = Table(
    "concern",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("referral_id", Uuid, nullable=False, index=True),
    Column("severity", code(Severity)),
    Column("category", code(ConcernCategory)),
    Column("raised_at", Instant),
    Column("step", code(AlertStep)),
    Column("climbed_at", Instant),
    Column("acknowledged_at", Instant),
    Column("outcome", code(ConcernOutcome)),
    Column("outcome_at", Instant),
)


# A row for each thing that waits. What lists are filtered by is in the indexes by which they are ordered, so that a
# page finds what is rare without reading rows. `due_by` is `due_at`, or the end of time: what has no date comes last.
queue_items = Table(
    "queue_item",
    metadata,
    Column("subject_id", Uuid, primary_key=True),
    Column("referral_id", Uuid, nullable=False, index=True),
    Column("queue", code(WorkQueue), nullable=False),
    Column("since", Instant, nullable=False),
    Column("due_at", Instant),
    Column("due_by", Instant, nullable=False),
    Column("reason", String(64)),
    Column("assigned_to", Uuid),
    Column("client_group", code(ClientGroup)),
    Column("risk_level", code(RiskLevel)),
    Index("ix_queue_item_by_due", "queue", "due_by", "subject_id", "assigned_to", "client_group", "risk_level"),
    Index(
        "ix_queue_item_by_since", "queue", "since", "subject_id", "due_by", "assigned_to", "client_group", "risk_level"
    ),
    Index("ix_queue_item_of_account", "assigned_to", "queue"),
)


# How much is in each queue, counted as it changes; `version` changes with anything in the queue.
queue_counts = Table(
    "queue_count",
    metadata,
    Column("queue", code(WorkQueue), primary_key=True),
    Column("total", Integer, nullable=False),
    Column("version", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)


# Every event that was heard, without what is sealed in it, so that all lists can be made anew.
archive = Table(
    "archived_event",
    metadata,
    Column("position", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True),
    Column("event_id", Uuid, nullable=False, index=True, unique=True),
    Column("publisher", String(40), nullable=False),
    Column("event", String(100), nullable=False),
    Column("subject_id", Uuid, nullable=False),
    Column("referral_id", Uuid),
    Column("number", Integer, nullable=False),
    Column("happened_at", Instant, nullable=False),
    Column("body", Text, nullable=False),
    Index("ix_archived_event_of_referral", "referral_id", "position"),
)


# Referrals that were erased: nothing that is heard of them later is kept.
erased = Table(
    "erased_referral",
    metadata,
    Column("referral_id", Uuid, primary_key=True),
    Column("erased_at", Instant, nullable=False),
    sqlite_with_rowid=False,
)


# When somebody opened a referral that was handed over to them. It is no event's, and stays when lists are made anew.
opened = Table(
    "opened_referral",
    metadata,
    Column("account_id", Uuid, primary_key=True),
    Column("referral_id", Uuid, primary_key=True, index=True),
    Column("opened_at", Instant, nullable=False),
    sqlite_with_rowid=False,
)


mapper.map_imperatively(Referral, referrals)


mapper.map_imperatively(Concern, concerns)


mapper.map_imperatively(QueueLength, queue_counts)
