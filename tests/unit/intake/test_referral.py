"""A referral's life, who is recognised as its client, and what raises a concern by rule."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from chassis.ids import new_id
from contracts.vocabulary import (
    AgeBand,
    ClientGroup,
    ConcernCategory,
    MatchEndReason,
    MatchId,
    ReferralId,
    Severity,
    SignpostReason,
    SubmissionId,
    TherapistId,
    WithdrawalReason,
)
from services.intake.domain.passphrases import mark_of, recognises
from services.intake.domain.referral import FINAL, AlreadyAssessed, AlreadyFinished, Referral, State, age_band
from services.intake.domain.safeguarding import Finding, finding_in_evaluation, findings_in_request

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
KEY = b"k" * 32
PASSPHRASE = "harbour lantern quiet meadow"
CHILD = Finding(Severity.IMMEDIATE, ConcernCategory.CHILD_AT_RISK)
YOUNG = Finding(Severity.ADVISORY, ConcernCategory.YOUNG_CLIENT)


def a_referral(**changes: Any) -> Referral:
    id_ = ReferralId(new_id())
    fields: dict[str, Any] = {
        "id": id_,
        "submission_id": SubmissionId(new_id()),
        "reference": "9C28-SAU2-5",
        "client_group": ClientGroup.AT_RISK,
        "received_at": NOW,
        "assess_by": NOW + timedelta(days=2),
        "passphrase_mark": mark_of(PASSPHRASE, referral_id=id_, key=KEY),
    }
    return Referral(**(fields | changes))


def matched_to(referral: Referral, *, sequence: int) -> MatchId:
    """A match of its own, whether or not the referral takes it."""
    match_id = MatchId(new_id())
    referral.match(match_id=match_id, therapist_id=TherapistId(new_id()), sequence=sequence)
    return match_id


class ReferralMachine(RuleBasedStateMachine):
    """Whatever is done to a referral, and however late a match arrives that has ended already."""

    @initialize()
    def receive(self) -> None:
        self.referral = a_referral()
        self.before = self.expected = State.RECEIVED
        self.assessed = False
        self.sequence = 0
        self.live: MatchId | None = None
        """The match that matching has; intake may have withdrawn or closed the referral meanwhile."""
        self.overtaken: list[tuple[MatchId, int]] = []

    @rule()
    def assess(self) -> None:
        if self._refuses_first_step():
            return
        self.referral.assess()
        self.expected, self.assessed = State.ASSESSED, True

    @rule(reason=st.sampled_from(SignpostReason))
    def signpost(self, reason: SignpostReason) -> None:
        if self._refuses_first_step():
            return
        self.referral.signpost(reason=reason)
        self.expected = State.SIGNPOSTED

    @rule(reason=st.sampled_from(WithdrawalReason))
    def withdraw(self, reason: WithdrawalReason) -> None:
        if self.expected in FINAL - {State.WITHDRAWN}:
            with pytest.raises(AlreadyFinished):
                self.referral.withdraw(reason=reason)
            return
        assert self.referral.withdraw(reason=reason) is (self.expected is not State.WITHDRAWN)
        self.expected = State.WITHDRAWN

    @precondition(lambda self: self.assessed and self.live is None)
    @rule()
    def match(self) -> None:
        self.live, wanted = MatchId(new_id()), self.expected not in FINAL
        assert self._match(self.live, self._next_sequence()) is wanted
        self.expected = State.MATCHED if wanted else self.expected

    @precondition(lambda self: self.live is not None)
    @rule(reason=st.sampled_from(MatchEndReason))
    def end(self, reason: MatchEndReason) -> None:
        self._end(reason, self._next_sequence())
        self.live = None

    @precondition(lambda self: self.assessed and self.live is None)
    @rule(reason=st.sampled_from(MatchEndReason))
    def end_that_overtakes_its_match(self, reason: MatchEndReason) -> None:
        match_id = MatchId(new_id())
        self.overtaken.append((match_id, self._next_sequence()))
        self._end(reason, self._next_sequence())

    @precondition(lambda self: self.overtaken)
    @rule()
    def match_that_was_overtaken_has_no_effect(self) -> None:
        assert self._match(*self.overtaken.pop()) is False

    @rule(reason=st.sampled_from(MatchEndReason))
    @precondition(lambda self: self.referral.match_id is not None)
    def end_of_another_match_has_no_effect(self, reason: MatchEndReason) -> None:
        assert self.referral.end_match(reason=reason, sequence=1) is False

    @invariant()
    def it_is_where_the_steps_lead(self) -> None:
        assert self.referral.state is self.expected

    @invariant()
    def no_final_state_is_left(self) -> None:
        assert self.before not in FINAL or self.referral.state is self.before
        self.before = self.referral.state

    @invariant()
    def a_therapist_is_known_while_there_is_a_match(self) -> None:
        assert (self.referral.match_id is None) is (self.referral.therapist_id is None)
        if self.referral.state is State.MATCHED:
            assert self.referral.match_id == self.live is not None
        elif self.referral.state is not State.WITHDRAWN:
            assert self.referral.match_id is None

    def _refuses_first_step(self) -> bool:
        """Whether neither an assessment nor a signpost is possible; if so, tries both."""
        if self.expected is State.RECEIVED:
            return False
        refusal = AlreadyFinished if self.expected in FINAL else AlreadyAssessed
        with pytest.raises(refusal, match="9C28-SAU2-5"):
            self.referral.assess()
        with pytest.raises(refusal, match="9C28-SAU2-5"):
            self.referral.signpost(reason=SignpostReason.OUT_OF_SCOPE)
        return True

    def _next_sequence(self) -> int:
        self.sequence += 1
        return self.sequence

    def _match(self, match_id: MatchId, sequence: int) -> bool:
        return self.referral.match(match_id=match_id, therapist_id=TherapistId(new_id()), sequence=sequence)

    def _end(self, reason: MatchEndReason, sequence: int) -> None:
        open_, unhappy = self.expected not in FINAL, reason is MatchEndReason.CLIENT_UNHAPPY
        closes = self.referral.end_match(reason=reason, sequence=sequence)
        assert closes is (open_ and not unhappy)
        if open_:
            self.expected = State.ASSESSED if unhappy else State.CLOSED


TestReferralMachine = ReferralMachine.TestCase
TestReferralMachine.settings = settings(max_examples=100, stateful_step_count=15, deadline=None)


def test_a_second_therapist_takes_the_place_of_the_first() -> None:
    referral = a_referral(state=State.ASSESSED)
    matched_to(referral, sequence=1)
    referral.end_match(reason=MatchEndReason.CLIENT_UNHAPPY, sequence=2)
    second = matched_to(referral, sequence=3)
    assert (referral.state, referral.match_id) == (State.MATCHED, second)


def test_the_end_of_the_first_match_may_arrive_after_the_second_match() -> None:
    referral = a_referral(state=State.ASSESSED)
    matched_to(referral, sequence=1)
    second = matched_to(referral, sequence=3)
    assert not referral.end_match(reason=MatchEndReason.CLIENT_UNHAPPY, sequence=2)
    assert (referral.state, referral.match_id) == (State.MATCHED, second)


def test_an_older_match_does_not_replace_a_newer_one() -> None:
    referral = a_referral(state=State.ASSESSED)
    second = matched_to(referral, sequence=3)
    matched_to(referral, sequence=1)
    assert referral.match_id == second


def test_a_referral_closes_even_if_the_end_of_its_last_match_arrives_before_the_end_of_its_first() -> None:
    referral = a_referral(state=State.ASSESSED)
    last = MatchId(new_id())
    matched_to(referral, sequence=1)
    referral.end_match(reason=MatchEndReason.COMPLETED, sequence=4)
    referral.end_match(reason=MatchEndReason.CLIENT_UNHAPPY, sequence=2)
    referral.match(match_id=last, therapist_id=TherapistId(new_id()), sequence=3)
    assert referral.state is State.CLOSED


@pytest.mark.parametrize(
    ("age", "band"),
    [
        (None, AgeBand.UNKNOWN),
        (0, AgeBand.UNDER_18),
        (17, AgeBand.UNDER_18),
        (18, AgeBand.FROM_18),
        (24, AgeBand.FROM_18),
        (25, AgeBand.FROM_25),
        (34, AgeBand.FROM_25),
        (35, AgeBand.FROM_35),
        (44, AgeBand.FROM_35),
        (45, AgeBand.FROM_45),
        (54, AgeBand.FROM_45),
        (55, AgeBand.FROM_55),
        (64, AgeBand.FROM_55),
        (65, AgeBand.FROM_65),
        (120, AgeBand.FROM_65),
    ],
)
def test_only_an_age_band_leaves_intake(age: int | None, band: AgeBand) -> None:
    assert age_band(age) is band


@pytest.mark.parametrize(
    ("group", "age", "at_risk", "found"),
    [
        (ClientGroup.AT_RISK, 41, False, []),
        (ClientGroup.OFFENDED, 41, False, []),
        (ClientGroup.AT_RISK, None, False, []),
        (ClientGroup.AT_RISK, 18, False, []),
        (ClientGroup.AT_RISK, 17, False, [YOUNG]),
        (ClientGroup.YOUNG_PERSON, None, False, [YOUNG]),
        (ClientGroup.YOUNG_PERSON, 17, False, [YOUNG]),
        (ClientGroup.YOUNG_PERSON, 19, False, [YOUNG]),
        (ClientGroup.FAMILY, 41, True, [CHILD]),
        (ClientGroup.AT_RISK, 17, True, [CHILD, YOUNG]),
    ],
)
def test_a_concern_is_raised_where_somebody_is_at_risk_and_for_every_young_client_and_for_no_offence(
    group: ClientGroup, age: int | None, at_risk: bool, found: list[Finding]
) -> None:
    assert findings_in_request(client_group=group, age=age, identifiable_person_at_risk=at_risk) == found


def test_an_answer_about_suicide_is_urgent() -> None:
    assert finding_in_evaluation() == Finding(Severity.URGENT, ConcernCategory.RISK_TO_SELF)


def tries(referral: Referral, passphrase: str = PASSPHRASE, *, at: datetime = NOW) -> bool:
    return recognises(referral, passphrase, key=KEY, at=at)


def tries_wrongly(referral: Referral, times: int, *, at: datetime = NOW) -> None:
    assert [tries(referral, "harbour lantern", at=at) for _ in range(times)] == [False] * times


@pytest.mark.parametrize(
    "typed",
    [
        PASSPHRASE,
        "Harbour LANTERN quiet meadow",
        "  harbour  lantern\tquiet\nmeadow ",
        "harbour\u00a0lantern quiet meadow",
        "ｈａｒｂｏｕｒ lantern quiet meadow",
    ],
)
def test_case_and_spacing_of_a_passphrase_are_forgiven(typed: str) -> None:
    assert tries(a_referral(), typed)


@pytest.mark.parametrize("typed", ["", "harbour lantern quiet", "harbourlanternquietmeadow", "meadow harbour"])
def test_another_passphrase_is_not_forgiven(typed: str) -> None:
    assert not tries(a_referral(), typed)


def test_the_same_passphrase_leaves_another_mark_on_each_referral_and_under_each_key() -> None:
    one, other = ReferralId(new_id()), ReferralId(new_id())
    marks = {mark_of(PASSPHRASE, referral_id=id_, key=key) for id_ in (one, other) for key in (KEY, b"x" * 32)}
    assert len(marks) == 4


def test_four_wrong_tries_do_not_lock() -> None:
    referral = a_referral()
    tries_wrongly(referral, 4)
    assert tries(referral)


def test_five_wrong_tries_lock_for_a_quarter_of_an_hour_even_for_whoever_knows_it() -> None:
    referral = a_referral()
    tries_wrongly(referral, 5)
    assert not tries(referral)
    assert not tries(referral, at=NOW + timedelta(minutes=15, seconds=-1))
    assert tries(referral, at=NOW + timedelta(minutes=15))


def test_a_try_while_locked_neither_counts_nor_prolongs() -> None:
    referral = a_referral()
    tries_wrongly(referral, 5)
    tries_wrongly(referral, 5, at=NOW + timedelta(minutes=14))
    later = NOW + timedelta(minutes=15)
    tries_wrongly(referral, 4, at=later)
    assert tries(referral, at=later)


def test_after_the_lock_five_more_wrong_tries_lock_again() -> None:
    referral = a_referral()
    later = NOW + timedelta(minutes=15)
    tries_wrongly(referral, 5)
    tries_wrongly(referral, 5, at=later)
    assert not tries(referral, at=later)


def test_the_right_passphrase_forgets_the_wrong_ones() -> None:
    referral = a_referral()
    for _ in range(3):
        tries_wrongly(referral, 4)
        assert tries(referral)
