"""Erases by itself what is no longer needed, in the same way as `leeward erase`, once nothing stops it.

All that one person asked, again or twice, is one file: it is kept until the last of its dates, what stops one of its
referrals stops all, and they go together.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import structlog

from chassis.audit.chain import AuditAction
from chassis.ports import Timer, UnitOfWork
from contracts.commands.privacy import ErasureReason
from contracts.commands.retention import (
    Applied,
    ApplyRetention,
    GetRetention,
    ListApplied,
    ListDue,
    Reckoning,
    RetentionStop,
    RetentionView,
    StopKind,
)
from contracts.vocabulary import ReferralId
from services.intake.application import referral_erasure
from services.intake.application.history import BY_RULE
from services.intake.application.lookup import find_by_reference
from services.intake.application.retention_dates import referrals_of_person, retention_date_of
from services.intake.dependencies import Dependencies
from services.intake.domain.referral import Referral
from services.intake.domain.states import IN_THERAPY, State
from services.intake.errors import UnknownReferral
from services.intake.store import concerns, retention
from services.intake.store.retention import RETENTION_DUE

log = structlog.get_logger()


def erase_when_due(unit: UnitOfWork[Dependencies], timer: Timer) -> None:
    """Erases a person whose time has come; otherwise sets the timer for when it will have, or looks again later."""
    file = referrals_of_person(unit, ReferralId(UUID(timer.key)))
    if not file:
        return
    date = retention_date_of(unit, file)
    if date.due_at > unit.now:
        unit.set_timer(RETENTION_DUE, timer.key, date.due_at)
    elif stops := _stops(unit, file):
        log.info("retention_stopped", referral_id=timer.key, stopped_by=sorted({member.kind for member in stops}))
        unit.set_timer(RETENTION_DUE, timer.key, unit.now + unit.dependencies.retention.look_again)
    else:
        log.info(
            "retention_due", referral_id=timer.key, term=date.term.name, policy=unit.dependencies.retention.version
        )
        for referral in file:
            referral_erasure.erase_referral(unit, referral, by=BY_RULE, reason=ErasureReason.RETENTION)


def get_retention(unit: UnitOfWork[Dependencies], request: GetRetention) -> RetentionView:
    """Raises UnknownReferral."""
    referral = find_by_reference(unit, request.reference)
    if referral is None or referral.state is State.ERASED:
        raise UnknownReferral("Nothing is held under this reference. Please check it.")
    return _view(unit, referral, referrals_of_person(unit, referral.id))


def list_due(unit: UnitOfWork[Dependencies], request: ListDue) -> list[RetentionView]:
    """Lists each person once, however many referrals they have."""
    # What was stopped has a timer no later than this, and its date is past.
    until = max(request.before, unit.now + unit.dependencies.retention.look_again)
    views: list[RetentionView] = []
    seen: set[ReferralId] = set()
    for referral_id in retention.possibly_due(unit.session, until, request.limit):
        if referral_id in seen:
            continue
        file = referrals_of_person(unit, referral_id)
        seen |= {member.id for member in file}
        if file and (view := _view(unit, _newest(file), file)).due_at <= request.before:
            views.append(view)
    return sorted(views, key=lambda view: view.due_at)


def apply_retention(unit: UnitOfWork[Dependencies], request: ApplyRetention) -> Reckoning:
    """Makes all retention timers due, after a change of policy. On record, because it may erase many at once."""
    count, version = retention.make_all_due(unit.session, unit.now), unit.dependencies.retention.version
    unit.record_audit(AuditAction.RETENTION_APPLIED, who=unit.actor.who, reason=f"policy {version}, referrals: {count}")
    return Reckoning(referrals=count, policy_version=version)


def list_applied(unit: UnitOfWork[Dependencies], request: ListApplied) -> list[Applied]:
    found = retention.list_applied(unit.session)
    return [Applied(applied_at=at, applied_by=who, what=what) for at, who, what in found]


def _stops(unit: UnitOfWork[Dependencies], file: Sequence[Referral]) -> tuple[RetentionStop, ...]:
    return tuple(
        RetentionStop(kind=kind, reference=member.reference) for member in file for kind in _stops_of(unit, member)
    )


def _stops_of(unit: UnitOfWork[Dependencies], referral: Referral) -> list[StopKind]:
    stops = {
        StopKind.LEGAL_HOLD: referral_erasure.legal_hold_in_force(unit, referral) is not None,
        StopKind.THERAPY_IN_PROGRESS: referral.state in IN_THERAPY,
        StopKind.CONCERN_OPEN: concerns.has_open_concern(unit.session, referral.id),
    }
    return [kind for kind, holds in stops.items() if holds]


def _newest(file: Sequence[Referral]) -> Referral:
    """The referral that goes on: not merged, and received last."""
    return max(file, key=lambda referral: (referral.merged_into is None, referral.received_at, referral.id))


def _view(unit: UnitOfWork[Dependencies], referral: Referral, file: Sequence[Referral]) -> RetentionView:
    date = retention_date_of(unit, file)
    return RetentionView(
        referral_id=referral.id,
        reference=referral.reference,
        state=referral.state.value,
        outcome=date.outcome.value,
        term=date.term.name,
        why=date.term.why,
        policy_version=unit.dependencies.retention.version,
        counted_from=date.counted_from,
        due_at=date.due_at,
        goes_with=tuple(member.reference for member in file if member is not referral),
        stopped_by=_stops(unit, file),
    )
