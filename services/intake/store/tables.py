"""Intake's tables, and which aggregates are mapped to them."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    Uuid,
    false,
    true,
)
from sqlalchemy.orm import registry

from chassis.store.append_only import forbid_changes
from chassis.store.tables import Instant, code, data_key_table, new_metadata
from contracts.commands.privacy import ErasureReason, LiftReason
from contracts.commands.privacy import HoldReason as LegalHoldReason
from contracts.vocabulary import (
    ApartReason,
    ClientGroup,
    Competence,
    ConcernCategory,
    ContactChangeState,
    HoldReason,
    LinkKind,
    LinkReason,
    MarkKind,
    OverrideReason,
    Party,
    PlaceKind,
    RefusalReason,
    RiskLevel,
    Severity,
    SuggestionUse,
    UnlinkReason,
    Work,
)
from services.intake.domain.contact_change import ContactChange
from services.intake.domain.erasure import Erasure, LegalHold
from services.intake.domain.links import ReferralLink
from services.intake.domain.referral import Referral
from services.intake.domain.safeguarding import Concern
from services.intake.domain.states import State, Step

metadata = new_metadata()

mapper = registry(metadata=metadata)

data_keys = data_key_table(metadata)

referrals = Table(
    "referral",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("submission_id", Uuid, nullable=False, unique=True),
    Column("reference", String(11), nullable=False, unique=True),
    Column("client_group", code(ClientGroup), nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("assess_by", Instant, nullable=False),
    Column("passphrase_mark", LargeBinary, nullable=False),
    Column("passphrase_subject", Uuid),
    Column("state", code(State), nullable=False, index=True),
    Column("state_before", code(State)),
    Column("steps_taken", Integer, nullable=False),
    Column("place", code(PlaceKind), nullable=False),
    Column("young", Boolean, nullable=False),
    Column("lead_signed", Boolean, nullable=False),
    Column("previous_id", Uuid),
    Column("merged_into", Uuid),
    Column("match_id", Uuid),
    Column("therapist_id", Uuid),
    Column("attended_match_id", Uuid),
    Column("billing_sequence", Integer, nullable=False),
    Column("matching_sequence", Integer, nullable=False),
    Column("failed_passphrases", Integer, nullable=False),
    Column("locked_until", Instant),
    Column("client_agrees", Boolean, nullable=False, server_default=true()),
    Column("may_pass_on", Boolean, nullable=False, server_default=true()),
    Column("held_for", code(HoldReason)),
    Column("undo_to", code(State)),
    Column("undo_until", Instant),
    Column("waits_for_money", Boolean, nullable=False, server_default=false()),
    Column("money_sequence", Integer, nullable=False, server_default="0"),
)

for _tie in (referrals.c.merged_into, referrals.c.previous_id):  # few have either
    Index(None, _tie, sqlite_where=_tie.is_not(None), postgresql_where=_tie.is_not(None))


# What a front-end sent and could not be read, sealed as it came.
unreadable = Table(
    "unreadable_submission",
    metadata,
    Column("submission_id", Uuid, primary_key=True),
    Column("event", String(64), nullable=False),
    Column("form", String(64)),
    Column("form_version", Integer),
    Column("sealed", Text, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("reason", code(RefusalReason), nullable=False),
    Column("field", String(64)),
)

# What references that nobody has are tried against.
decoys = Table(
    "decoy",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("passphrase_mark", LargeBinary, nullable=False),
    Column("passphrase_subject", Uuid),
    Column("failed_passphrases", Integer, nullable=False),
    Column("locked_until", Instant),
)

# Only ever added to: what a step was, when, by whom and why.
steps = Table(
    "referral_step",
    metadata,
    Column("referral_id", Uuid, ForeignKey("referral.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("step", code(Step), nullable=False),
    Column("state", code(State), nullable=False),
    Column("taken_at", Instant, nullable=False),
    Column("taken_by", String(120), nullable=False),
    Column("reason", String(64)),
    Column("note", LargeBinary),
    Column("changed", JSON),
)

forbid_changes(steps, "steps of a referral are only ever added", ("referral_id", "number"))

personal_records = Table(
    "personal_record",
    metadata,
    Column("referral_id", Uuid, ForeignKey("referral.id"), primary_key=True),
    Column("form", String(64), nullable=False),
    Column("form_version", Integer, nullable=False),
    Column("content", LargeBinary, nullable=False),
)

assessments = Table(
    "assessment",
    metadata,
    Column("referral_id", Uuid, ForeignKey("referral.id"), primary_key=True),
    Column("assessed_at", Instant, nullable=False),
    Column("assessor", String(120), nullable=False),
    Column("risk_level", code(RiskLevel)),
    Column("competence", code(Competence)),
    Column("work", code(Work)),
    Column("policy_version", Integer),
    Column("suggested_risk_level", code(RiskLevel)),
    Column("suggested_competence", code(Competence)),
    Column("suggested_work", code(Work)),
    Column("suggestion", code(SuggestionUse)),
    Column("override_reason", code(OverrideReason)),
    Column("content", LargeBinary, nullable=False),
)

# Deleted with the client's data key, without which nothing may identify the client.
match_keys = Table(
    "identity_mark",
    metadata,
    Column("referral_id", Uuid, ForeignKey("data_key.subject_id", ondelete="CASCADE"), primary_key=True),
    Column("kind", code(MarkKind), primary_key=True),
    Column("mark", LargeBinary(32), nullable=False, index=True),
)

possible_duplicates = Table(
    "possible_duplicate",
    metadata,
    Column("referral_id", Uuid, ForeignKey("data_key.subject_id", ondelete="CASCADE"), primary_key=True),
    Column("other_id", Uuid, ForeignKey("data_key.subject_id", ondelete="CASCADE"), primary_key=True, index=True),
    Column("kind", code(MarkKind), primary_key=True),
    Column("found_at", Instant, nullable=False, index=True),
)

# It hangs on the client's data key, too, without which nobody can read what it holds.
contact_changes = Table(
    "contact_change",
    metadata,
    Column("referral_id", Uuid, ForeignKey("data_key.subject_id", ondelete="CASCADE"), primary_key=True),
    Column("whose", code(Party), nullable=False),
    Column("content", LargeBinary),
    Column("old_is_safe", Boolean, nullable=False),
    Column("code_mark", LargeBinary(32)),
    Column("tries_left", Integer, nullable=False),
    Column("asked_at", Instant, nullable=False),
    Column("state", code(ContactChangeState), nullable=False),
    Column("codes", Integer, nullable=False),
    Column("codes_since", Instant, nullable=False),
)

# A person's finding that two requests are not the same, whichever of them is named first.
told_apart = Table(
    "told_apart",
    metadata,
    Column("referral_id", Uuid, ForeignKey("referral.id"), primary_key=True),
    Column("other_id", Uuid, ForeignKey("referral.id"), primary_key=True, index=True),
    Column("told_at", Instant, nullable=False),
    Column("told_by", String(120), nullable=False),
    Column("reason", code(ApartReason), nullable=False),
)

links = Table(
    "link",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("referral_id", Uuid, ForeignKey("referral.id"), nullable=False, index=True),
    Column("other_id", Uuid, ForeignKey("referral.id"), nullable=False, index=True),
    Column("kind", code(LinkKind), nullable=False),
    Column("linked_at", Instant, nullable=False),
    Column("linked_by", String(120), nullable=False),
    Column("reason", code(LinkReason), nullable=False),
    Column("undone_at", Instant),
    Column("undone_by", String(120)),
    Column("undone_reason", code(UnlinkReason)),
)

concerns = Table(
    "safeguarding_concern",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("referral_id", Uuid, ForeignKey("referral.id"), nullable=False, index=True),
    Column("severity", code(Severity), nullable=False),
    Column("category", code(ConcernCategory), nullable=False),
    Column("raised_at", Instant, nullable=False),
    Column("raised_by", String(120), nullable=False),
    Column("acknowledged_at", Instant),
)

erasures = Table(
    "erasure",
    metadata,
    Column("referral_id", Uuid, ForeignKey("referral.id"), primary_key=True),
    Column("erased_at", Instant, nullable=False, index=True),
    Column("erased_by", String(120), nullable=False),
    Column("reason", code(ErasureReason), nullable=False),
    Column("overdue_since", Instant),
)

erasure_confirmations = Table(
    "erasure_confirmation",
    metadata,
    Column("referral_id", Uuid, ForeignKey("referral.id"), primary_key=True),
    Column("service", String(40), primary_key=True),
    Column("confirmed_at", Instant, nullable=False),
)

legal_holds = Table(
    "legal_hold",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("referral_id", Uuid, ForeignKey("referral.id"), nullable=False, index=True),
    Column("reason", code(LegalHoldReason), nullable=False),
    Column("placed_by", String(120), nullable=False),
    Column("placed_at", Instant, nullable=False),
    Column("lift_reason", code(LiftReason)),
    Column("lifted_by", String(120)),
    Column("lifted_at", Instant),
)

mapper.map_imperatively(Referral, referrals)

mapper.map_imperatively(Concern, concerns)

mapper.map_imperatively(ContactChange, contact_changes)

mapper.map_imperatively(ReferralLink, links)

mapper.map_imperatively(Erasure, erasures)

mapper.map_imperatively(LegalHold, legal_holds)
