"""Where referrals stand, for a console that wasn't there when it was said."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from chassis.ports import UnitOfWork
from chassis.privacy.vault import Erased
from contracts.accounts import AccountId
from contracts.commands.snapshots import ListSnapshots, ReferralSnapshot, SnapshotPage
from contracts.permissions import account_of
from services.intake.application.history import build_step_taken
from services.intake.application.records import decrypt_record, place_of
from services.intake.application.search_facts import build_referral_assessed, build_referral_received
from services.intake.dependencies import Dependencies
from services.intake.domain.referral import Referral
from services.intake.domain.states import Step
from services.intake.store import personal_records, referrals


def list_snapshots(unit: UnitOfWork[Dependencies], request: ListSnapshots) -> SnapshotPage:
    """What leaves intake of a request in events, made anew from what the client wrote."""
    page = referrals.page_after(unit.session, request.after, request.limit)
    steps = referrals.histories_of(unit.session, [referral.id for referral, _ in page])
    told = [_snapshot(unit, referral, number, steps[referral.id]) for referral, number in page]
    return SnapshotPage(
        referrals=tuple(snapshot for snapshot in told if snapshot),
        after=page[-1][0].id if len(page) == request.limit else None,
    )


def _snapshot(
    unit: UnitOfWork[Dependencies], referral: Referral, number: int, steps: Sequence[Row[Any]]
) -> ReferralSnapshot | None:
    """None where what the client wrote is erased and the referral not yet, after a backup was put back."""
    try:
        form = decrypt_record(unit, referral)
    except Erased:
        return None
    steps = [step for step in steps if step.number <= referral.steps_taken]
    newest, found = steps[-1], personal_records.find_assessment(unit.session, referral.id)
    return ReferralSnapshot(
        referral_id=referral.id,
        number=number,
        step=build_step_taken(referral, newest.step, by=newest.taken_by, reason=newest.reason, at=newest.taken_at),
        state_since=_since(steps),
        taken_up_by=_taken_up_by(steps),
        received=build_referral_received(unit, referral, form, place_of(unit, form)),
        assessed=build_referral_assessed(unit, referral, form, found, at=found.assessed_at) if found else None,
    )


def _since(steps: Sequence[Row[Any]]) -> datetime:
    """When the referral came into the state where it is."""
    since: datetime = steps[-1].taken_at
    for step in reversed(steps):
        if step.state is not steps[-1].state:
            break
        since = step.taken_at
    return since


def _taken_up_by(steps: Sequence[Row[Any]]) -> AccountId | None:
    """None for the command line, which has no account."""
    names = [step.taken_by for step in steps if step.step is Step.TAKE_UP]
    account_id = account_of(names[-1])[1] if names and ":" in names[-1] else None
    return None if account_id is None else AccountId(account_id)
