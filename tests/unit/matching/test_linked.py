"""Linked referrals have no therapist in common, whatever arrives first; couples who agreed are the exception."""

from __future__ import annotations

from itertools import permutations
from uuid import uuid4

import pytest

from contracts.commands.matching import EndMatch
from contracts.events.intake import ReferralsLinked, ReferralsUnlinked
from contracts.events.matching import OfferWithdrawn
from contracts.vocabulary import (
    LinkId,
    LinkKind,
    MatchEndReason,
    MatchId,
    OfferWithdrawalReason,
    ReferralId,
    TherapistId,
    Work,
)
from services.matching.handlers import commands, events, links
from tests.unit.matching.conftest import TIMERS, Matching


def linked(one: ReferralId, other: ReferralId, kind: LinkKind = LinkKind.SURVIVOR) -> ReferralsLinked:
    return ReferralsLinked(link_id=LinkId(uuid4()), referral_id=one, other_referral_id=other, kind=kind)


def unlinked(link: ReferralsLinked) -> ReferralsUnlinked:
    return ReferralsUnlinked.from_json(link.to_json())


@pytest.mark.parametrize("turned", [False, True])
def test_the_therapist_of_the_one_is_not_asked_about_the_other(matching: Matching, turned: bool) -> None:
    matching.admit(places=5)
    one, other = matching.search_for(), matching.receive()
    matching.accept(one)
    matching.hear(links.note_link, linked(other, one) if turned else linked(one, other))
    matching.assess(other)
    assert matching.asked(other) is None
    second = matching.admit()
    assert matching.asked(other) == second


def test_nor_once_therapy_has_ended(matching: Matching) -> None:
    matching.admit(places=5)
    one, other = matching.search_for(), matching.receive()
    match_id = MatchId(matching.accept(one))
    matching.ask(commands.end_match, EndMatch(match_id=match_id, reason=MatchEndReason.COMPLETED))
    matching.hear(links.note_link, linked(one, other))
    matching.assess(other)
    assert matching.asked(other) is None


def test_nor_while_only_an_offer_is_open(matching: Matching) -> None:
    matching.admit(places=5)
    one, other = matching.search_for(), matching.receive()
    matching.hear(links.note_link, linked(one, other))
    matching.assess(other)
    assert (matching.asked(one) is not None, matching.asked(other)) == (True, None)


def test_who_declined_the_one_may_be_asked_about_the_other(matching: Matching) -> None:
    therapist_id = matching.admit(places=5)
    one, other = matching.search_for(), matching.receive()
    matching.decline(one)
    matching.hear(links.note_link, linked(one, other))
    matching.assess(other)
    assert matching.asked(other) == therapist_id


def test_a_link_takes_one_of_two_offers_to_the_same_therapist_back(matching: Matching) -> None:
    first = matching.admit(places=5)
    one, other = matching.search_for(), matching.search_for()
    second = matching.admit()
    matching.hear(links.note_link, linked(one, other))
    assert (matching.asked(one), matching.asked(other)) == (first, second)
    assert [offer.reason for offer in matching.emitted(OfferWithdrawn)] == [OfferWithdrawalReason.REFERRALS_LINKED]


def test_an_open_offer_goes_from_the_therapist_who_sees_the_other(matching: Matching) -> None:
    matching.admit(places=5)
    one, other = matching.search_for(), matching.search_for()
    matching.accept(other)
    matching.hear(links.note_link, linked(one, other))
    assert (matching.asked(one), matching.standing(other).state) == (None, "matched")


def test_partners_who_work_as_a_couple_may_have_one_therapist(matching: Matching) -> None:
    therapist_id = matching.admit(places=5, couple_work=True)
    one, other = matching.search_for(work=Work.COUPLE), matching.receive()
    matching.accept(one)
    matching.hear(links.note_link, linked(one, other, LinkKind.PARTNER))
    matching.assess(other, work=Work.COUPLE)
    assert matching.asked(other) == therapist_id


@pytest.mark.parametrize(("kind", "work"), [(LinkKind.PARTNER, Work.INDIVIDUAL), (LinkKind.SURVIVOR, Work.COUPLE)])
def test_nobody_else_may(matching: Matching, kind: LinkKind, work: Work) -> None:
    matching.admit(places=5, couple_work=True)
    one, other = matching.search_for(work=Work.COUPLE), matching.receive()
    matching.accept(one)
    matching.hear(links.note_link, linked(one, other, kind))
    matching.assess(other, work=work)
    assert matching.asked(other) is None


def test_once_unlinked_the_therapist_comes_into_question_again(matching: Matching) -> None:
    therapist_id = matching.admit(places=5)
    one, other = matching.search_for(), matching.receive()
    matching.accept(one)
    link = linked(one, other)
    matching.hear(links.note_link, link)
    matching.assess(other)
    matching.hear(links.note_unlink, unlinked(link))
    matching.fire_due(TIMERS)
    assert matching.asked(other) == therapist_id


def test_an_older_link_is_dropped(matching: Matching) -> None:
    therapist_id = matching.admit(places=5)
    one, other = matching.search_for(), matching.receive()
    matching.accept(one)
    link = linked(one, other)
    matching.hear(links.note_unlink, unlinked(link), sequence=2)
    matching.hear(links.note_link, link, sequence=1)
    matching.assess(other)
    assert matching.asked(other) == therapist_id


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_two_never_share_whatever_arrives_first(matching: Matching, order: tuple[int, ...]) -> None:
    matching.admit(places=5)
    one, other = matching.receive(), matching.receive()
    steps = [
        lambda: matching.hear(links.note_link, linked(one, other)),
        lambda: matching.assess(one),
        lambda: matching.assess(other),
    ]
    for place in order:
        steps[place]()
    asked: list[TherapistId | None] = [matching.asked(one), matching.asked(other)]
    assert asked.count(None) == 1


def test_a_link_may_be_heard_of_before_its_referrals(matching: Matching) -> None:
    matching.admit(places=5)
    one, other = ReferralId(uuid4()), ReferralId(uuid4())
    matching.hear(links.note_link, linked(one, other))
    for referral_id in (one, other):
        matching.hear(events.note_referral, matching.received(referral_id))
        matching.assess(referral_id)
    assert [matching.asked(one), matching.asked(other)].count(None) == 1
