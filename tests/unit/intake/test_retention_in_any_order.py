"""Whatever is done to a person's referrals and in which order: nobody goes too early, and everybody goes at last."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from contracts.commands.intake import RaiseConcern
from contracts.events.matching import TherapistMatched
from contracts.vocabulary import ConcernCategory, ConcernId, MatchEndReason, ReferralId, Severity
from services.intake.dependencies import Dependencies
from services.intake.domain.retention import months_after
from services.intake.handlers import safeguarding
from services.intake.store import tables
from tests.unit.intake.conftest import Asked, Intake
from tests.unit.intake.test_retention import hold, lift, merge, pass_time, re_refer, unmerge

DAY = timedelta(days=1)
SHORTEST, AFTER_THERAPY, LONGEST = 12, 84, 84
"""Months, of the terms that a grown-up who has not offended may have."""


class Person(RuleBasedStateMachine):
    """One person, who asks again and twice, in a model of its own: who belongs together, and since when."""

    dependencies: Dependencies
    keys: Path

    @initialize()
    def ask(self) -> None:
        self.intake = Intake(self.dependencies, self.keys)
        self.asked: list[Asked] = []
        self.newest_step: dict[ReferralId, datetime] = {}
        self.ended_at: dict[ReferralId, datetime] = {}
        self.matches: dict[ReferralId, TherapistMatched] = {}
        self.concerns: list[tuple[ConcernId, ReferralId]] = []
        self.on_hold: list[Asked] = []
        self.merged: list[Asked] = []
        self.ties: dict[ReferralId, ReferralId] = {}
        self._note(self.intake.ask_for_help())

    def _note(self, asked: Asked) -> None:
        self.asked.append(asked)
        self._stepped(asked)

    def _stepped(self, asked: Asked) -> None:
        self.newest_step[asked.referral_id] = self.intake.clock.now()

    def _in_state(self, *states: str) -> list[Asked]:
        return [one for one in self.asked if self.intake.state(one.reference) in states]

    @rule(days=st.sampled_from([1, 40, 200, 366, 800]))
    def wait(self, days: int) -> None:
        before = self._held()
        pass_time(self.intake, timedelta(days=days))
        gone = before - self._held()
        if gone:
            self._check_may_go(gone)

    def _held(self) -> set[ReferralId]:
        rows = select(tables.personal_records.c.referral_id)
        return set(self.intake.read(lambda unit: unit.session.execute(rows).scalars().all()))

    def _check_may_go(self, gone: set[ReferralId]) -> None:
        together = set().union(*(self._tied_to(one) for one in gone))
        assert together == gone, "they go together"
        stopped = {one.referral_id for one in self.on_hold} | {one for _, one in self.concerns} | self.matches.keys()
        assert not stopped & gone
        now, merged = self.intake.clock.now(), {one.referral_id for one in self.merged}
        assert all(months_after(self.newest_step[one], SHORTEST) <= now for one in gone - merged)
        assert all(months_after(self.ended_at[one], AFTER_THERAPY) <= now for one in gone & self.ended_at.keys())

    def _tied_to(self, referral_id: ReferralId) -> set[ReferralId]:
        found = {referral_id}
        for _ in self.ties:
            found |= {end for tie in self.ties.items() for end in tie if found & set(tie)}
        return found

    @rule()
    def withdraw(self) -> None:
        for one in self._in_state("received", "assessed")[:1]:
            self.intake.withdraw(one.reference)
            self._stepped(one)

    @rule()
    def assess_and_match(self) -> None:
        for one in self._in_state("received")[:1]:
            self.intake.assess(one.referral_id)
            self.matches[one.referral_id] = self.intake.match(one.referral_id)
            self._stepped(one)

    @precondition(lambda self: self.matches)
    @rule(reason=st.sampled_from([MatchEndReason.COMPLETED, MatchEndReason.NOT_ATTENDED]))
    def end(self, reason: MatchEndReason) -> None:
        referral_id, match = self.matches.popitem()
        self.intake.end_match(match, reason)
        (one,) = (one for one in self.asked if one.referral_id == referral_id)
        self._stepped(one)
        if reason is MatchEndReason.COMPLETED:
            self.ended_at[referral_id] = self.intake.clock.now()

    @rule()
    def ask_again(self) -> None:
        for one in self._in_state("withdrawn", "closed"):
            if one not in self.merged:
                self._stepped(one)
                again = re_refer(self.intake, one)
                self._note(again)
                self.ties[again.referral_id] = one.referral_id
                return

    @rule()
    def ask_twice(self) -> None:
        for one in self._in_state("received", "assessed", "matched")[:1]:
            twice = self.intake.ask_for_help()
            self._note(twice)
            merge(self.intake, twice, one)
            self.merged.append(twice)
            self.ties[twice.referral_id] = one.referral_id

    @rule()
    def find_out_that_they_were_two(self) -> None:
        for one in [one for one in self.merged if self.intake.state(one.reference) == "withdrawn"][:1]:
            unmerge(self.intake, one)
            self.merged.remove(one)
            del self.ties[one.referral_id]
            self._stepped(one)

    @rule()
    def hold_or_lift(self) -> None:
        if self.on_hold:
            lift(self.intake, self.on_hold.pop())
            pass_time(self.intake, timedelta())
        elif self._in_state("received", "withdrawn", "closed", "re_referred", "matched"):
            one = self._in_state("received", "withdrawn", "closed", "re_referred", "matched")[0]
            hold(self.intake, one)
            self.on_hold.append(one)

    @rule()
    def raise_or_acknowledge(self) -> None:
        if self.concerns:
            self.intake.acknowledge(*self.concerns.pop())
        elif self._in_state("received", "withdrawn", "closed"):
            referral_id = self._in_state("received", "withdrawn", "closed")[0].referral_id
            concern = RaiseConcern(
                referral_id=referral_id,
                severity=Severity.URGENT,
                category=ConcernCategory.ADULT_AT_RISK,
            )
            raised = self.intake.ask(safeguarding.raise_concern, concern)
            self.concerns.append((raised.concern_id, referral_id))

    @invariant()
    def what_is_stopped_is_there(self) -> None:
        held = self._held() if self.asked else set()
        assert all(one.referral_id in held for one in self.on_hold)
        assert all(referral_id in held for referral_id in self.matches)
        assert all(referral_id in held for _, referral_id in self.concerns)

    def teardown(self) -> None:
        for one in self.on_hold:
            lift(self.intake, one)
        for acknowledged in self.concerns:
            self.intake.acknowledge(*acknowledged)
        for match in self.matches.values():
            self.intake.end_match(match, MatchEndReason.COMPLETED)
        # One whose concern was open when the therapy ended is not closed by rule, and goes all the same.
        pass_time(self.intake, timedelta(days=31 * LONGEST) + 8 * DAY)
        pass_time(self.intake, 8 * DAY)
        assert self._held() == set()


def test_nobody_goes_too_early_and_everybody_at_last(dependencies: Dependencies, keys: Path) -> None:
    machine = type("ThisPerson", (Person,), {"dependencies": dependencies, "keys": keys})
    run_state_machine_as_test(machine, settings=settings(max_examples=40, stateful_step_count=20))
