"""What people tell the console: whose work something is, and that its lists are to be filled or made anew."""

from __future__ import annotations

from chassis.ports import UnitOfWork
from contracts.accounts import AccountId
from contracts.commands.console import Assignment, AssignReferral, RebuildReadModel, Rebuilt
from contracts.commands.snapshots import Filled, FillReadModel, Snapshot
from contracts.events.console import ReferralAssigned
from contracts.permissions import account_of
from services.console.application.filling import fill
from services.console.application.listing import note
from services.console.application.rebuilding import rebuild
from services.console.dependencies import Dependencies
from services.console.errors import AssignedMeanwhile, UnknownReferral
from services.console.store import archive, referrals


def assign_referral(unit: UnitOfWork[Dependencies], request: AssignReferral) -> Assignment:
    """Raises UnknownReferral, AssignedMeanwhile."""
    referral = referrals.lock_existing(unit.session, request.referral_id)
    if referral is None:
        raise UnknownReferral("There is no such referral here. It may have been erased.")
    if referral.assigned_to != request.instead_of:
        raise AssignedMeanwhile("Somebody has said meanwhile whose work this is. Please look again.")
    by = account_of(unit.actor.who)[1]
    assigned = ReferralAssigned(
        referral_id=referral.id, account_id=request.account_id, assigned_by=AccountId(by) if by else None
    )
    note(unit, assigned, 0)
    archive.add_own(unit, assigned)
    unit.emit(assigned)
    return Assignment(referral_id=referral.id, account_id=request.account_id)


def rebuild_read_model(unit: UnitOfWork[Dependencies], request: RebuildReadModel) -> Rebuilt:
    """Rebuilds the next referrals; called again with `after` until that is None. Raises InvalidShape."""
    ids = archive.referrals_after(unit.session, request.after, request.limit)
    events = rebuild(unit, ids)
    return Rebuilt(referrals=len(ids), events=events, after=ids[-1] if len(ids) == request.limit else None)


def fill_read_model(unit: UnitOfWork[Dependencies], request: FillReadModel) -> Filled:
    """Raises InvalidShape."""
    told: tuple[Snapshot, ...] = (*request.referrals, *request.searches, *request.subsidies, *request.concerns)
    return Filled(snapshots=fill(unit, told))
