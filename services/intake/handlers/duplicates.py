"""Requests that may be one person's same request: found by match keys, decided by people, never merged by rule."""

from __future__ import annotations

from chassis.audit.chain import AuditAction
from chassis.ports import UnitOfWork
from contracts.commands.duplicates import (
    CountDuplicates,
    DuplicatesCount,
    ListDuplicates,
    Merge,
    PossibleDuplicate,
    TellApart,
    Unmerge,
)
from contracts.commands.intake import (
    Done,
)
from contracts.events.intake import ReferralReopened, ReferralWithdrawn
from contracts.vocabulary import ReopeningReason, WithdrawalReason
from services.intake.application.conflicts import carry_links
from services.intake.application.history import record_step
from services.intake.application.lookup import get_as_seen, get_two_referrals, refuse_if_changed
from services.intake.dependencies import Dependencies
from services.intake.domain.referral import Referral, StepNotPossible
from services.intake.domain.states import FINISHED, State, Step
from services.intake.errors import (
    CannotMergeInto,
    MergedIntoEachOther,
    SameReferral,
)
from services.intake.store import possible_duplicates, referrals

ONE_AND_THE_SAME = "These are one and the same referral. Please check the references."


def list_possible_duplicates(unit: UnitOfWork[Dependencies], request: ListDuplicates) -> list[PossibleDuplicate]:
    """Pairs that nobody has merged or told apart yet, the newest first."""
    found = possible_duplicates.find_pairs(unit.session, request.referral_id, request.limit)
    return [
        PossibleDuplicate(
            referral_id=pair.referral.id,
            reference=pair.referral.reference,
            state=pair.referral.state.value,
            other_referral_id=pair.other.id,
            other_reference=pair.other.reference,
            other_state=pair.other.state.value,
            alike=pair.alike,
            found_at=pair.found_at,
        )
        for pair in found
    ]


def count_duplicates(unit: UnitOfWork[Dependencies], request: CountDuplicates) -> DuplicatesCount:
    return DuplicatesCount(pairs=possible_duplicates.count_pairs(unit.session))


def merge(unit: UnitOfWork[Dependencies], request: Merge) -> Done:
    """Stops a referral that is the same as another, which goes on.

    Raises UnknownReferral, ChangedMeanwhile, StepNotPossible, CannotMergeInto.
    """
    referral, into = get_two_referrals(unit, request.referral_id, request.into_referral_id)
    refuse_if_changed(unit, referral, request.seen)
    _refuse_wrong_way(referral, into)
    referral.merge(into.id)
    carry_links(unit, of=referral, to=into, by=unit.actor.who)
    record_step(unit, referral, Step.MERGE, by=unit.actor.who, reason=request.reason, note=request.note)
    unit.emit(ReferralWithdrawn(referral_id=referral.id, reason=WithdrawalReason.DUPLICATE, merged_into_id=into.id))
    return Done()


def unmerge(unit: UnitOfWork[Dependencies], request: Unmerge) -> Done:
    """The two were not the same after all: the one that was stopped goes on where it was.

    Raises UnknownReferral, ChangedMeanwhile, StepNotPossible.
    """
    referral = get_as_seen(unit, request)
    into = referrals.find_referral(unit.session, referral.merged_into) if referral.merged_into else None
    referral.unmerge()
    if into is not None:
        carry_links(unit, of=into, to=referral, by=unit.actor.who)
    record_step(unit, referral, Step.UNMERGE, by=unit.actor.who, reason=request.reason, note=request.note)
    unit.emit(ReferralReopened(referral_id=referral.id, reason=ReopeningReason.UNMERGED))
    return Done()


def tell_apart(unit: UnitOfWork[Dependencies], request: TellApart) -> Done:
    """The two are not the same, and are never suggested to be again.

    Raises UnknownReferral, SameReferral, MergedIntoEachOther.
    """
    first, other = get_two_referrals(unit, request.referral_id, request.other_referral_id)
    if first is other:
        raise SameReferral(ONE_AND_THE_SAME)
    for referral, into in ((first, other), (other, first)):
        if referral.merged_into == into.id:
            raise MergedIntoEachOther(
                f"Referral {referral.reference} was merged into {into.reference}. Unmerge it if they are not the same."
            )
    changed = possible_duplicates.tell_apart(unit.session, first.id, other.id, request, by=unit.actor.who, at=unit.now)
    if changed:
        for referral in (first, other):
            reason = request.reason.value
            unit.record_audit(AuditAction.TOLD_APART, who=unit.actor.who, subject_id=referral.id, reason=reason)
    return Done(changed=changed)


def _refuse_wrong_way(referral: Referral, into: Referral) -> None:
    """Raises CannotMergeInto; StepNotPossible where only the other can be the one that stops."""
    if into is referral:
        raise CannotMergeInto(ONE_AND_THE_SAME)
    if into.merged_into is not None:
        raise CannotMergeInto(f"Referral {into.reference} was itself merged into another: merge into that one.")
    if into.state is State.IN_REVIEW:
        raise CannotMergeInto(f"Referral {into.reference} looks like spam to our form: release it first.")
    if into.state in FINISHED:
        raise CannotMergeInto(
            f"Referral {into.reference} is {into.state.words}, so it can't go on in the other's place. "
            "Tell the two apart: what was finished and what came again are two requests."
        )
    if referral.state not in FINISHED and referral.is_assessed and not into.is_assessed:
        raise StepNotPossible(
            f"Referral {referral.reference} is {referral.state.words} and has to go on. "
            f"Merge {into.reference} into it instead."
        )
