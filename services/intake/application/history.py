"""A referral's history: each step it took, when, by whom and why. Rows are only ever added.

Each step also sets the retention timer where it begins a term, and ends a contact change that is still unconfirmed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from chassis.ports import UnitOfWork
from contracts.accounts import AccountId
from contracts.events.intake import ReferralStepTaken
from contracts.permissions import account_of
from contracts.sealed import Note
from services.intake.application.lookup import open_sealed
from services.intake.application.retention_timer import set_retention_timer
from services.intake.dependencies import Dependencies
from services.intake.domain.referral import Referral
from services.intake.domain.states import State, Step
from services.intake.store import pending_contacts, tables

BY_CLIENT, BY_RULE, BY_MATCHING, BY_BILLING = "client", "rule", "matching", "billing"
UNNAMED_STAFF = "office"
END_CONTACT_CHANGE = frozenset(
    {Step.CHANGE_CONTACT, Step.WITHDRAW, Step.SIGNPOST, Step.MERGE, Step.RE_REFER, Step.CLOSE, Step.ERASE}
)
"""Steps after which a contact that the client named themselves, and nobody has confirmed, can't count any more."""
CONTACT_CODE_OVER = "contact_code_over"
"""The timer that forgets a new contact whose code nobody typed."""


def record_step(
    unit: UnitOfWork[Dependencies],
    referral: Referral,
    step: Step,
    *,
    by: str,
    reason: str | None = None,
    note: str | None = None,
    changed: Sequence[str] = (),
) -> None:
    """Puts the step that a referral has just taken on record.

    `by` is a person's name, `client`, `rule`, or the service that reported it. `note` is a sealed
    `contracts.sealed.Note`; it is stored encrypted under the client's key, so that it goes when the client is erased.
    `changed` are the names of fields, never what is in them.
    Raises NotSealedToIntake.
    """
    why = {} if reason is None else {"reason": reason}
    noted = {} if note is None else {"note": _encrypted(unit, referral, note)}
    unit.insert(
        tables.steps,
        referral_id=referral.id,
        number=referral.steps_taken,
        step=step,
        state=referral.state,
        taken_at=unit.now,
        taken_by=by,
        **why,
        **noted,
        **({"changed": list(changed)} if changed else {}),
    )
    _publish(unit, referral, step, by=by, reason=reason)
    set_retention_timer(unit, referral, step, reason)
    if step in END_CONTACT_CHANGE:
        _end_contact_change(unit, referral)


def _publish(unit: UnitOfWork[Dependencies], referral: Referral, step: Step, *, by: str, reason: str | None) -> None:
    """Tells whoever lists referrals."""
    unit.emit(build_step_taken(referral, step, by=by, reason=reason, at=unit.now))


def build_step_taken(referral: Referral, step: Step, *, by: str, reason: str | None, at: datetime) -> ReferralStepTaken:
    """The newest step. A person is named by their account; a name as the command line has it stays."""
    front_end, account_id = account_of(by) if ":" in by else (by, None)
    return ReferralStepTaken(
        referral_id=referral.id,
        number=referral.steps_taken,
        step=step.value,
        state=referral.state.value,
        taken_at=at,
        taken_by=str(front_end),
        account_id=None if account_id is None else AccountId(account_id),
        reason=reason,
        due_at=None if referral.is_assessed else referral.assess_by,
        needs_safeguarding_lead=referral.needs_lead,
        place=referral.place,
        waits_for=referral.held_for if referral.state is State.ON_HOLD else referral.waits_for,
    )


def take_step(
    unit: UnitOfWork[Dependencies],
    referral: Referral,
    step: Step,
    *,
    by: str,
    reason: str | None = None,
    note: str | None = None,
    changed: Sequence[str] = (),
) -> None:
    """Takes a step and puts it on record. Raises StepNotPossible."""
    referral.take(step)
    record_step(unit, referral, step, by=by, reason=reason, note=note, changed=changed)


def _end_contact_change(unit: UnitOfWork[Dependencies], referral: Referral) -> None:
    change = pending_contacts.find_contact_change(unit.session, referral.id)
    if change and change.is_pending:
        change.expire()
        unit.cancel_timer(CONTACT_CODE_OVER, referral.id)


def _encrypted(unit: UnitOfWork[Dependencies], referral: Referral, note: str) -> bytes:
    return unit.dependencies.vault.encrypt(unit.session, referral.id, open_sealed(unit, Note, note), at=unit.now)
