"""What belongs to a person and not to one of their referrals: locks, whom they left, and concerns about them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest

from contracts.commands.matching import EndMatch
from contracts.events.intake import ReferralErased, ReferralReopened, ReferralWithdrawn, SafeguardingConcernRaised
from contracts.events.matching import OfferWithdrawn
from contracts.events.notifications import SafeguardingAlertAcknowledged
from contracts.vocabulary import (
    AlertStep,
    ConcernCategory,
    ConcernId,
    MatchEndReason,
    MatchId,
    OfferWithdrawalReason,
    PersonId,
    ReferralId,
    ReopeningReason,
    Severity,
    WithdrawalReason,
)
from services.matching.handlers import commands, erasure, events, lifecycle, links
from services.matching.store import tables
from tests.unit.matching.conftest import SETTINGS, Matching, a_toolbox
from tests.unit.matching.test_linked import linked, unlinked
from tests.unit.matching.test_on_hold import held, resumed


def withdraw(matching: Matching, referral_id: ReferralId, duplicate_of: ReferralId | None = None) -> None:
    reason = WithdrawalReason.DUPLICATE if duplicate_of else WithdrawalReason.CLIENT_ASKED
    withdrawn = ReferralWithdrawn(referral_id=referral_id, reason=reason, merged_into_id=duplicate_of)
    matching.hear(lifecycle.stop_withdrawn, withdrawn)
    matching.run()


def take_up_again(matching: Matching, referral_id: ReferralId, *, person_named: bool = True) -> ReferralId:
    """Withdrawn and re-referred. What was sent before intake named the person says only which referral came before."""
    withdraw(matching, referral_id)
    person_id = PersonId(referral_id) if person_named else None
    return matching.receive(previous_referral_id=referral_id, person_id=person_id)


@pytest.mark.parametrize("person_named", [True, False])
def test_a_lock_outlives_the_referral_it_was_put_on(matching: Matching, person_named: bool) -> None:
    matching.admit(places=5)
    survivor, other = matching.search_for(), matching.receive()
    matching.accept(survivor)
    matching.hear(links.note_link, linked(survivor, other))
    again = take_up_again(matching, other, person_named=person_named)
    matching.assess(again)
    assert matching.asked(again) is None


def test_a_lock_holds_for_the_referral_that_goes_on_in_the_place_of_another(matching: Matching) -> None:
    matching.admit(places=5)
    survivor, other, third = matching.search_for(), matching.receive(), matching.receive()
    matching.accept(survivor)
    matching.hear(links.note_link, linked(survivor, other))
    withdraw(matching, other, duplicate_of=third)
    matching.assess(third)
    assert matching.asked(third) is None


def test_a_merge_takes_an_offer_back_that_a_lock_forbids(matching: Matching) -> None:
    therapist_id = matching.admit(places=5)
    survivor, other, third = matching.search_for(), matching.receive(), matching.search_for()
    matching.accept(survivor)
    matching.hear(links.note_link, linked(survivor, other))
    assert matching.asked(third) == therapist_id
    withdraw(matching, other, duplicate_of=third)
    assert matching.asked(third) is None
    assert [one.reason for one in matching.emitted(OfferWithdrawn)] == [OfferWithdrawalReason.REFERRALS_LINKED]


def test_once_unmerged_the_lock_is_the_others_alone(matching: Matching) -> None:
    therapist_id = matching.admit(places=5)
    survivor, other, third = matching.search_for(), matching.receive(), matching.receive()
    matching.accept(survivor)
    matching.hear(links.note_link, linked(survivor, other))
    withdraw(matching, other, duplicate_of=third)
    reopened = ReferralReopened(referral_id=other, reason=ReopeningReason.UNMERGED)
    matching.hear(lifecycle.reopen, reopened)
    for one in (other, third):
        matching.assess(one)
    assert (matching.asked(other), matching.asked(third)) == (None, therapist_id)


def test_a_link_that_is_made_later_holds_for_all_of_both_people(matching: Matching) -> None:
    matching.admit(places=5)
    survivor = matching.search_for()
    match_id = matching.accept(survivor)
    matching.ask(commands.end_match, EndMatch(match_id=MatchId(match_id), reason=MatchEndReason.COMPLETED))
    survivor_again = take_up_again(matching, survivor)
    other = matching.receive()
    other_again = take_up_again(matching, other)
    matching.hear(links.note_link, linked(survivor_again, other_again))
    matching.assess(other_again)
    assert matching.asked(other_again) is None


def test_once_unlinked_whoever_waits_of_either_person_is_sought_for(matching: Matching) -> None:
    therapist_id = matching.admit(places=5)
    survivor, other = matching.search_for(), matching.receive()
    matching.accept(survivor)
    link = linked(survivor, other)
    matching.hear(links.note_link, link)
    again = take_up_again(matching, other)
    matching.assess(again)
    matching.hear(links.note_unlink, unlinked(link))
    assert matching.asked(again) == therapist_id


def test_a_lock_holds_though_the_referral_it_was_put_on_was_erased(matching: Matching) -> None:
    matching.admit(places=5)
    survivor, other = matching.search_for(), matching.receive()
    matching.accept(survivor)
    matching.hear(links.note_link, linked(survivor, other))
    again = take_up_again(matching, other)
    matching.hear(erasure.forget, ReferralErased(referral_id=other))
    matching.assess(again)
    assert matching.asked(again) is None


def test_nobody_is_offered_a_therapist_they_left_as_unhappy_whichever_referral_it_was(matching: Matching) -> None:
    matching.admit(places=5)
    first = matching.search_for()
    matching.end(matching.accept(first), MatchEndReason.CLIENT_UNHAPPY)
    again = take_up_again(matching, first)
    matching.assess(again)
    assert matching.asked(again) is None
    other = matching.admit()
    assert matching.asked(again) == other


def test_whom_they_left_content_they_may_be_offered_again(matching: Matching) -> None:
    therapist_id = matching.admit(places=5)
    first = matching.search_for()
    matching.end(matching.accept(first), MatchEndReason.COMPLETED)
    again = take_up_again(matching, first)
    matching.assess(again)
    assert matching.asked(again) == therapist_id


# An immediate concern


def concern(
    matching: Matching, referral_id: ReferralId, severity: Severity = Severity.IMMEDIATE
) -> SafeguardingConcernRaised:
    return SafeguardingConcernRaised(
        concern_id=ConcernId(uuid4()),
        referral_id=referral_id,
        severity=severity,
        category=ConcernCategory.CHILD_AT_RISK,
        raised_at=matching.clock.now(),
    )


def acknowledge(matching: Matching, raised: SafeguardingConcernRaised) -> None:
    acknowledged = SafeguardingAlertAcknowledged(
        concern_id=raised.concern_id,
        referral_id=raised.referral_id,
        step=AlertStep.DUTY_LEAD,
        acknowledged_at=matching.clock.now(),
    )
    matching.hear(lifecycle.note_acknowledgement, acknowledged)


def test_while_an_immediate_concern_is_unacknowledged_nobody_is_asked(matching: Matching) -> None:
    therapist_id = matching.admit()
    referral_id = matching.receive()
    raised = concern(matching, referral_id)
    matching.hear(lifecycle.note_concern, raised)
    matching.assess(referral_id)
    standing = matching.standing(referral_id)
    assert (matching.asked(referral_id), standing.on_hold, standing.state) == (None, True, "waiting")
    acknowledge(matching, raised)
    assert matching.asked(referral_id) == therapist_id


def test_a_concern_may_come_before_the_referral(matching: Matching) -> None:
    matching.admit()
    referral_id = ReferralId(uuid4())
    matching.hear(lifecycle.note_concern, concern(matching, referral_id))
    matching.hear(events.note_referral, matching.received(referral_id))
    matching.assess(referral_id)
    assert matching.asked(referral_id) is None


def test_an_acknowledgement_may_come_before_the_concern(matching: Matching) -> None:
    therapist_id = matching.admit()
    referral_id = matching.search_for()
    raised = concern(matching, referral_id)
    acknowledge(matching, raised)
    matching.hear(lifecycle.note_concern, raised)
    assert matching.asked(referral_id) == therapist_id


def test_a_concern_takes_an_open_offer_back_and_leaves_therapy_alone(matching: Matching) -> None:
    matching.admit(places=2)
    in_therapy, offered = matching.search_for(), matching.search_for()
    matching.accept(in_therapy)
    for one in (in_therapy, offered):
        matching.hear(lifecycle.note_concern, concern(matching, one))
    assert [one.reason for one in matching.emitted(OfferWithdrawn)] == [OfferWithdrawalReason.REFERRAL_ON_HOLD]
    assert matching.standing(in_therapy).state == "matched"
    assert matching.asked(offered) is None


def test_every_concern_must_be_acknowledged(matching: Matching) -> None:
    matching.admit()
    referral_id = matching.search_for()
    first, second = concern(matching, referral_id), concern(matching, referral_id)
    for one in (first, second):
        matching.hear(lifecycle.note_concern, one)
    acknowledge(matching, first)
    assert matching.asked(referral_id) is None
    acknowledge(matching, second)
    assert matching.asked(referral_id) is not None


def test_room_that_comes_does_not_go_to_who_is_held_back(matching: Matching) -> None:
    held_back = matching.search_for()
    matching.hear(lifecycle.note_concern, concern(matching, held_back))
    next_one = matching.search_for()
    therapist_id = matching.admit(places=2)
    assert (matching.asked(held_back), matching.asked(next_one)) == (None, therapist_id)


def test_a_concern_is_about_a_person_who_may_ask_again(matching: Matching) -> None:
    matching.admit()
    first = matching.receive()
    raised = concern(matching, first)
    matching.hear(lifecycle.note_concern, raised)
    again = take_up_again(matching, first)
    matching.assess(again)
    assert matching.asked(again) is None
    acknowledge(matching, raised)
    assert matching.asked(again) is not None


def test_a_hold_of_the_office_is_not_lifted_by_an_acknowledgement(matching: Matching) -> None:
    matching.admit()
    referral_id = matching.search_for()
    raised = concern(matching, referral_id)
    matching.hear(lifecycle.pause, held(referral_id))
    matching.hear(lifecycle.note_concern, raised)
    matching.hear(lifecycle.resume, resumed(referral_id))
    assert matching.asked(referral_id) is None
    matching.hear(lifecycle.pause, held(referral_id))
    acknowledge(matching, raised)
    assert matching.asked(referral_id) is None
    matching.hear(lifecycle.resume, resumed(referral_id))
    assert matching.asked(referral_id) is not None


@pytest.mark.parametrize("severity", [Severity.URGENT, Severity.ADVISORY])
def test_other_concerns_hold_nothing_back(matching: Matching, severity: Severity) -> None:
    therapist_id = matching.admit()
    referral_id = matching.search_for()
    matching.hear(lifecycle.note_concern, concern(matching, referral_id, severity))
    assert matching.asked(referral_id) == therapist_id


def test_that_concerns_hold_a_search_back_is_policy(keys: Path) -> None:
    settings = replace(SETTINGS, pause_for_concerns=False)
    matching = Matching("matching", tables.metadata, dependencies=a_toolbox(keys, settings))
    therapist_id = matching.admit()
    referral_id = matching.search_for()
    matching.hear(lifecycle.note_concern, concern(matching, referral_id))
    assert matching.asked(referral_id) == therapist_id
