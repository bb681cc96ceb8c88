"""Intake's tables about erasures and legal holds."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Column, ForeignKey, MetaData, String, Table, Uuid

from chassis.store.tables import Instant, code
from contracts.commands.privacy import ErasureReason, HoldReason, LiftReason


@dataclass(frozen=True)
class PrivacyTables:
    erasure: Table
    erasure_confirmation: Table
    legal_hold: Table


def privacy_tables(metadata: MetaData) -> PrivacyTables:
    """Adds them to intake's metadata."""
    return PrivacyTables(
        erasure=Table(
            "erasure",
            metadata,
            Column("referral_id", Uuid, ForeignKey("referral.id"), primary_key=True),
            Column("erased_at", Instant, nullable=False, index=True),
            Column("erased_by", String(120), nullable=False),
            Column("reason", code(ErasureReason), nullable=False),
            Column("overdue_since", Instant),
        ),
        erasure_confirmation=Table(
            "erasure_confirmation",
            metadata,
            Column("referral_id", Uuid, ForeignKey("referral.id"), primary_key=True),
            Column("service", String(40), primary_key=True),
            Column("confirmed_at", Instant, nullable=False),
        ),
        legal_hold=Table(
            "legal_hold",
            metadata,
            Column("id", Uuid, primary_key=True),
            Column("referral_id", Uuid, ForeignKey("referral.id"), nullable=False, index=True),
            Column("reason", code(HoldReason), nullable=False),
            Column("placed_by", String(120), nullable=False),
            Column("placed_at", Instant, nullable=False),
            Column("lift_reason", code(LiftReason)),
            Column("lifted_by", String(120)),
            Column("lifted_at", Instant),
        ),
    )
