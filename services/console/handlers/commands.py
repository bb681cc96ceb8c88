"""What people tell the console: whose work something is, and that its lists are to be filled or made anew."""

from __future__ import annotations

from chassis.ports import UnitOfWork
from contracts.accounts import AccountId
from contracts.commands.console import (
    Assignment,
    AssignReferral,
    MoveWork,
    NoteOpened,
    Opened,
    RebuildReadModel,
    Rebuilt,
    WorkMoved,
)
from contracts.commands.snapshots import Filled, FillReadModel, Snapshot
from contracts.events.console import ReferralAssigned
from contracts.permissions import account_of
from contracts.vocabulary import ReferralId
from services.console.application.filling import fill
from services.console.application.listing import note
from services.console.application.rebuilding import rebuild
from services.console.dependencies import Dependencies
from services.console.errors import AssignedMeanwhile, UnknownReferral
from services.console.store import archive, opened, referrals


def assign_referral(unit: UnitOfWork[Dependencies], request: AssignReferral) -> Assignment:
    """Raises UnknownReferral, AssignedMeanwhile."""
    referral = referrals.lock_existing(unit.session, request.referral_id)
    if referral is None:
        raise UnknownReferral("There is no such referral here. It may have been erased.")
    if referral.assigned_to != request.instead_of:
        raise AssignedMeanwhile("Somebody has said meanwhile whose work this is. Please look again.")
    _assign(unit, referral.id, request.account_id)
    return Assignment(referral_id=referral.id, account_id=request.account_id)


def move_work(unit: UnitOfWork[Dependencies], request: MoveWork) -> WorkMoved:
    """Called again until nothing is left."""
    total = sum(row.referrals for row in referrals.count_work(unit.session, account_id=request.account_id, limit=1))
    moved = 0
    for referral_id in referrals.work_of(unit.session, request.account_id, limit=request.limit):
        referral = referrals.lock_referral(unit.session, referral_id, heard_at=unit.now)
        if referral is not None and referral.assigned_to == request.account_id:  # not somebody else's meanwhile
            _assign(unit, referral_id, request.to)
            moved += 1
    return WorkMoved(moved=moved, left=max(total - moved, 0))


def _assign(unit: UnitOfWork[Dependencies], referral_id: ReferralId, account_id: AccountId | None) -> None:
    by = account_of(unit.actor.who)[1]
    assigned = ReferralAssigned(
        referral_id=referral_id,
        account_id=account_id,
        assigned_by=AccountId(by) if by else None,
        assigned_at=unit.now,
    )
    note(unit, assigned, 0)
    archive.add_own(unit, assigned)
    unit.emit(assigned)


def note_opened(unit: UnitOfWork[Dependencies], request: NoteOpened) -> Opened:
    """Raises UnknownReferral."""
    by = account_of(unit.actor.who)[1]
    if referrals.lock_existing(unit.session, request.referral_id) is None:
        raise UnknownReferral("There is no such referral here. It may have been erased.")
    if by:
        opened.note(unit.session, AccountId(by), request.referral_id, at=unit.now)
    return Opened(referral_id=request.referral_id, opened_at=unit.now)


def rebuild_read_model(unit: UnitOfWork[Dependencies], request: RebuildReadModel) -> Rebuilt:
    """Rebuilds the next referrals; called again with `after` until that is None. Raises InvalidShape."""
    ids = archive.referrals_after(unit.session, request.after, request.limit)
    events = rebuild(unit, ids)
    return Rebuilt(referrals=len(ids), events=events, after=ids[-1] if len(ids) == request.limit else None)


def fill_read_model(unit: UnitOfWork[Dependencies], request: FillReadModel) -> Filled:
    """Raises InvalidShape."""
    told: tuple[Snapshot, ...] = (*request.referrals, *request.searches, *request.subsidies, *request.concerns)
    return Filled(snapshots=fill(unit, told))
