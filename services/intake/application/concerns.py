"""Puts a safeguarding concern on record and has it sent out at once."""

from __future__ import annotations

from chassis.ports import UnitOfWork
from contracts.events.intake import SafeguardingConcernRaised
from contracts.sealed import ConcernReference
from contracts.vocabulary import ConcernId
from services.intake.dependencies import Dependencies
from services.intake.domain.referral import Referral
from services.intake.domain.safeguarding import Concern, Finding


def record_concern(
    unit: UnitOfWork[Dependencies], referral: Referral, finding: Finding, *, raised_by: str
) -> ConcernId:
    """Puts a safeguarding concern on record and has it sent out at once."""
    concern = Concern(
        id=ConcernId(unit.new_id()),
        referral_id=referral.id,
        severity=finding.severity,
        category=finding.category,
        raised_at=unit.now,
        raised_by=raised_by,
    )
    unit.session.add(concern)
    unit.emit(
        SafeguardingConcernRaised(
            concern_id=concern.id,
            referral_id=referral.id,
            severity=concern.severity,
            category=concern.category,
            raised_at=concern.raised_at,
            sealed=unit.dependencies.keyring.seal("notifications", ConcernReference(reference=referral.reference)),
        )
    )
    return concern.id
