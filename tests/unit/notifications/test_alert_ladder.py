"""The escalation of a safeguarding alert, as a state machine."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from chassis.ids import new_id
from contracts.vocabulary import AlertStep, ConcernCategory, ConcernId, ReferralId, Severity
from services.notifications.domain.alerts import LADDER, Alert, AlreadyAcknowledged, Call

AT = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


def an_alert() -> Alert:
    return Alert(
        concern_id=ConcernId(new_id()),
        referral_id=ReferralId(new_id()),
        severity=Severity.IMMEDIATE,
        category=ConcernCategory.CHILD_AT_RISK,
        raised_at=AT,
    )


def test_the_duty_lead_is_alerted_first() -> None:
    assert an_alert().begin() == (Call(AlertStep.DUTY_LEAD, 0),)


def test_it_climbs_to_the_deputy_and_then_to_the_trustee() -> None:
    alert = an_alert()
    assert alert.escalate() == (Call(AlertStep.DEPUTY, 0),)
    assert alert.escalate() == (Call(AlertStep.TRUSTEE, 0),)


def test_past_the_trustee_everybody_is_alerted_again_and_again() -> None:
    alert = an_alert()
    for _ in LADDER[1:]:
        alert.escalate()
    assert alert.escalate() == tuple(Call(step, 1) for step in LADDER)
    assert alert.escalate() == tuple(Call(step, 2) for step in LADDER)


def test_nobody_is_alerted_once_somebody_has_taken_it_in_hand() -> None:
    alert = an_alert()
    alert.acknowledge(by="Jo Made-Up", at=AT)
    assert alert.escalate() == ()


def test_refuses_a_second_person() -> None:
    alert = an_alert()
    alert.acknowledge(by="Jo Made-Up", at=AT)
    with pytest.raises(AlreadyAcknowledged, match="A colleague"):
        alert.acknowledge(by="Lee Imagined", at=AT)


def test_the_same_person_may_say_so_twice() -> None:
    alert = an_alert()
    assert alert.acknowledge(by="Jo Made-Up", at=AT)
    assert not alert.acknowledge(by="Jo Made-Up", at=AT)


class AlertMachine(RuleBasedStateMachine):
    """Whatever happens in whatever order: an alert climbs, never falls, and ends with one person's name alone."""

    @initialize()
    def raise_it(self) -> None:
        self.alert = an_alert()
        self.calls = list(self.alert.begin())
        self.escalations = 0

    @rule()
    def escalate(self) -> None:
        before = LADDER.index(self.alert.step)
        calls = self.alert.escalate()
        assert bool(calls) is self.alert.is_open
        assert LADDER.index(self.alert.step) >= before
        self.calls += calls
        self.escalations += bool(calls)

    @rule(name=st.sampled_from(["Jo Made-Up", "Lee Imagined"]))
    def acknowledge(self, name: str) -> None:
        first = self.alert.acknowledged_by
        try:
            self.alert.acknowledge(by=name, at=AT)
        except AlreadyAcknowledged:
            assert first not in (None, name)
        else:
            assert self.alert.acknowledged_by == name
        if first:
            assert self.alert.acknowledged_by == first

    @invariant()
    def nobody_is_called_twice_for_the_same_step(self) -> None:
        assert len(set(self.calls)) == len(self.calls)

    @invariant()
    def everybody_up_to_the_step_has_been_called(self) -> None:
        called = {call.step for call in self.calls}
        assert called == set(LADDER[: LADDER.index(self.alert.step) + 1])

    @invariant()
    @precondition(lambda self: not self.alert.is_open)
    def whoever_took_it_in_hand_has_a_name(self) -> None:
        assert self.alert.acknowledged_by
        assert self.alert.acknowledged_by.strip()

    @invariant()
    def it_reaches_the_top_in_as_many_steps_as_the_ladder_has(self) -> None:
        assert LADDER.index(self.alert.step) == min(self.escalations, len(LADDER) - 1)


TestAlertMachine = AlertMachine.TestCase
