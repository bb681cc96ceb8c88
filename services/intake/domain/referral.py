"""A referral, which takes only the steps that `services.intake.domain.states` allows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from contracts.refused import Refused
from contracts.vocabulary import ClientGroup, HoldReason, MatchId, PlaceKind, ReferralId, SubmissionId, TherapistId
from contracts.watermark import is_newer
from services.intake.domain.states import (
    BEFORE_ASSESSMENT,
    FINISHED,
    TRANSITIONS,
    UNDOABLE,
    State,
    Step,
    possible_steps,
)

AGREEMENTS = frozenset({HoldReason.CLIENT_HAS_NOT_AGREED, HoldReason.CONSENT_TO_PASS_ON})
"""What a referral is on hold for by rule."""


class StepNotPossible(Refused):
    """This step isn't possible for a referral in its present state; the message says which state, and what is."""


class AlreadyFinished(StepNotPossible, name="StepNotPossible"):
    """The referral was withdrawn, signposted, closed, re-referred or erased."""


class SafeguardingLeadFirst(StepNotPossible):
    """A young person's referral passes the safeguarding lead before anything is decided about it."""


class NotMerged(StepNotPossible, name="StepNotPossible"):
    """The referral was withdrawn by its client, and not merged into another."""


class MergedIntoAnother(StepNotPossible, name="StepNotPossible"):
    """The referral was merged into another, which goes on in its place."""


class CannotUndo(StepNotPossible, name="StepNotPossible"):
    """Something has been built on what is to be undone."""


class AgreementAwaited(StepNotPossible, name="StepNotPossible"):
    """The search waits for what the client has still to agree to."""


@dataclass(eq=False, kw_only=True)
class Referral:
    """One request for help. Who the client is is stored encrypted in another table, never here."""

    id: ReferralId
    submission_id: SubmissionId
    reference: str
    client_group: ClientGroup
    received_at: datetime
    assess_by: datetime
    passphrase_mark: bytes
    passphrase_subject: ReferralId | None = None
    """The referral that the passphrase was first given for, if it was an earlier one."""
    state: State = State.RECEIVED
    state_before: State | None = None
    """Where a referral on hold, or merged into another, goes on if it goes on."""
    steps_taken: int = 1
    """Being received is the first."""
    place: PlaceKind = PlaceKind.FOUND
    young: bool = False
    lead_signed: bool = False
    previous_id: ReferralId | None = None
    merged_into: ReferralId | None = None
    match_id: MatchId | None = None
    therapist_id: TherapistId | None = None
    attended_match_id: MatchId | None = None
    """The match that is known to have begun with a session, perhaps before the match itself was heard of."""
    billing_sequence: int = 0
    matching_sequence: int = 0
    """The sequence number of matching's newest event that was handled."""
    waits_for_money: bool = False
    money_sequence: int = 0
    """The sequence number of billing's newest event about help with the cost that was handled."""
    failed_passphrases: int = 0
    locked_until: datetime | None = None
    client_agrees: bool = True
    """False while somebody else wrote for the client, who has not agreed yet."""
    may_pass_on: bool = True
    """Whether the client's details may be passed on to a therapist."""
    held_for: HoldReason | None = None
    undo_to: State | None = None
    """Where a referral that was withdrawn or signposted goes on if that was a mistake."""
    undo_until: datetime | None = None
    """Until when that may be said; never of what the client took back themselves."""

    @property
    def waits_for(self) -> HoldReason | None:
        """What the client has still to agree to before anybody is sought."""
        if not self.client_agrees:
            return HoldReason.CLIENT_HAS_NOT_AGREED
        return None if self.may_pass_on else HoldReason.CONSENT_TO_PASS_ON

    @property
    def has_what_it_waited_for(self) -> bool:
        """Whether it is on hold for an agreement that has come."""
        return self.state is State.ON_HOLD and self.held_for in AGREEMENTS and self.waits_for is None

    @property
    def is_assessed(self) -> bool:
        """Whether it has passed its assessment, so that others may have begun to act on it."""
        now = self.state_before if self.state is State.ON_HOLD else self.state
        return now not in BEFORE_ASSESSMENT

    @property
    def needs_lead(self) -> bool:
        """Whether the safeguarding lead has still to see it."""
        return self.young and not self.lead_signed

    @property
    def possible_steps(self) -> list[Step]:
        """What a person can do with it next. What was merged is unmerged, and what was withdrawn is undone."""
        others = {Step.UNMERGE} if self.merged_into is None else {Step.UNDO, Step.RE_REFER}
        return [step for step in possible_steps(self.state) if step not in others]

    def take(self, step: Step) -> None:
        """Takes a step. Raises StepNotPossible; nothing has changed then."""
        self.refuse_unless_possible(step)
        before, self.state = self.state, self._target(step)
        if step is Step.SIGN_OFF:
            self.lead_signed = True
        elif step in (Step.HOLD, Step.MERGE):
            self.state_before = _goes_on_from(before)
        elif step in UNDOABLE:
            self.undo_to = _goes_on_from(before)  # what a referral was on hold for is kept with it
        elif TRANSITIONS[step].targets and self.state is not State.ON_HOLD:
            self.state_before = self.held_for = None
        self.steps_taken += 1

    def pause(self, reason: HoldReason) -> None:
        """Stops the search until it is resumed. Raises StepNotPossible."""
        self.take(Step.HOLD)
        self.held_for = reason

    def refuse_unless_possible(self, step: Step) -> None:
        """Raises StepNotPossible, SafeguardingLeadFirst, NotMerged or MergedIntoAnother."""
        if step is Step.UNMERGE and self.merged_into is None:
            raise NotMerged(f"Referral {self.reference} was not merged into another. Name the one that stopped.")
        if self.state not in TRANSITIONS[step].sources:
            raise self._refusal(step)
        if step is Step.RE_REFER and self.merged_into is not None:
            raise MergedIntoAnother(f"Referral {self.reference} was merged into another: that one goes on.")
        if step is Step.UNDO:
            self._refuse_to_undo()
        if step is Step.RESUME and self.held_for in AGREEMENTS and self.waits_for:
            raise AgreementAwaited(
                f"Referral {self.reference} waits until the client agrees ({self.waits_for.value.replace('_', ' ')}). "
                "Ask, and record what they say with `record_consent`; it then goes on by itself."
            )
        if step in (Step.ASSESS, Step.SIGNPOST) and self.needs_lead:
            raise SafeguardingLeadFirst(
                f"Referral {self.reference} is a young person's: the safeguarding lead signs it off first."
            )

    def withdraw(self, *, undo_until: datetime | None = None) -> bool:
        """Takes the request back, at any stage. False if it was taken back before. Raises AlreadyFinished."""
        if self.state is State.WITHDRAWN and self.merged_into is None:
            return False
        self.take(Step.WITHDRAW)
        self.undo_until = undo_until
        return True

    def signpost(self, *, undo_until: datetime) -> None:
        """Another service fits better. Raises StepNotPossible."""
        self.take(Step.SIGNPOST)
        self.undo_until = undo_until

    def undo(self, *, at: datetime) -> None:
        """It was withdrawn or signposted by mistake, and goes on where it was. Raises StepNotPossible."""
        self.refuse_unless_possible(Step.UNDO)
        if self.undo_until is None or at > self.undo_until:
            why = "too long ago" if self.undo_until else "by the client themselves"
            raise CannotUndo(
                f"Referral {self.reference} was {self.state.words} {why}. If they ask again, use `re_refer`, "
                "which keeps all that was said."
            )
        self.take(Step.UNDO)

    def erase(self) -> None:
        """Leaves a referral about nobody, whose reference nobody's words open any more. Raises AlreadyFinished."""
        self.take(Step.ERASE)
        self.passphrase_mark = b""

    def merge(self, into: ReferralId) -> None:
        """This and another are one person's same request; the other goes on. Raises StepNotPossible."""
        self.take(Step.MERGE)
        self.merged_into = into

    def unmerge(self) -> None:
        """The two were not the same after all; this one goes on where it was. Raises StepNotPossible."""
        self.take(Step.UNMERGE)
        self.merged_into = None

    def advance_matching_sequence(self, sequence: int) -> bool:
        """Notes the sequence number of matching's newest event. False if this or a newer one was handled before."""
        if not is_newer(sequence, self.matching_sequence):
            return False
        self.matching_sequence = sequence
        return True

    def take_if_possible(self, step: Step) -> bool:
        """Takes a step that an event reports. False, and without effect, if the referral's state doesn't allow it."""
        if self.state not in TRANSITIONS[step].sources:
            return False
        self.take(step)
        return True

    def record_match(self, *, match_id: MatchId, therapist_id: TherapistId) -> bool:
        """A therapist was found. False if that is no longer wanted."""
        if not self.take_if_possible(Step.MATCH):
            return False
        self.match_id, self.therapist_id = match_id, therapist_id
        return True

    def reinstate_match(self, *, match_id: MatchId, therapist_id: TherapistId) -> bool:
        """The end of a match was undone. False if the referral's state doesn't allow that any more."""
        if not self.take_if_possible(Step.GO_ON):
            return False
        self.match_id, self.therapist_id = match_id, therapist_id
        return True

    def end_match(self, step: Step) -> bool:
        """Client and therapist parted: after PART another therapist is sought, after END none.

        False if the referral's state doesn't allow it. An end may overtake its own match, which then has no effect.
        """
        if not self.take_if_possible(step):
            return False
        self.match_id = self.therapist_id = None
        return True

    def record_attendance(self, match_id: MatchId, *, sequence: int) -> None:
        """A match has begun with a session, as billing reports. Events older than billing's newest are ignored."""
        if is_newer(sequence, self.billing_sequence):
            self.attended_match_id, self.billing_sequence = match_id, sequence

    def reverse_attendance(self, match_id: MatchId, *, sequence: int) -> bool:
        """No session of a match is on record any more, as billing reports. False if that changes nothing here."""
        if not is_newer(sequence, self.billing_sequence):
            return False
        self.billing_sequence = sequence
        if self.attended_match_id != match_id:
            return False
        self.attended_match_id = None
        return self.take_if_possible(Step.NOT_BEGUN)

    @property
    def has_begun(self) -> bool:
        """Whether the first session with the present therapist took place and no step has said so yet."""
        return self.state is State.MATCHED and self.match_id == self.attended_match_id is not None

    def _refuse_to_undo(self) -> None:
        """Raises CannotUndo, MergedIntoAnother."""
        if self.merged_into is not None:
            raise MergedIntoAnother(f"Referral {self.reference} was merged into another: unmerge it instead.")
        if self.undo_to not in TRANSITIONS[Step.UNDO].targets:
            raise CannotUndo(
                f"Referral {self.reference} was with a therapist, and that has ended with it. Refer it again with "
                "`re_refer`, which keeps all that was said."
            )

    def _target(self, step: Step) -> State:
        targets = TRANSITIONS[step].targets
        if not targets:
            return self.state
        if len(targets) > 1:
            before = self.undo_to if step is Step.UNDO else self.state_before
            assert before in targets, "a referral on hold, merged or ended by mistake knows where it was"
            return before
        (target,) = targets
        return target

    def _refusal(self, step: Step) -> StepNotPossible:
        kind = AlreadyFinished if self.state in FINISHED else StepNotPossible
        possible = ", ".join(allowed.words for allowed in self.possible_steps) or "none"
        return kind(
            f"Referral {self.reference} is {self.state.words}, which doesn't allow the step “{step.words}”. "
            f"Possible now: {possible}."
        )


def _goes_on_from(state: State) -> State:
    """An offer that was open is taken back, so the search goes on from before it."""
    return State.MATCHING if state is State.OFFERED else state
