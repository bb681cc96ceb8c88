"""Referrals that a person links are kept apart: nobody of the charity handles both."""

from __future__ import annotations

from typing import Any

import pytest

from chassis.ids import new_id
from chassis.testing import somebody
from contracts.commands.duplicates import Merge, Unmerge
from contracts.commands.intake import (
    GetHistory,
    Link,
    Linked,
    LinkView,
    ListLinks,
    ReRefer,
    Signpost,
    SuggestAssessment,
    TakeUp,
    Unlink,
    Withdraw,
)
from contracts.events.intake import ReferralsLinked, ReferralsUnlinked
from contracts.vocabulary import (
    LinkId,
    LinkKind,
    LinkReason,
    MergeReason,
    ReferralId,
    ReReferralReason,
    SignpostReason,
    TherapistId,
    UnlinkReason,
    UnmergeReason,
    WithdrawalReason,
)
from services.intake import errors
from services.intake.handlers import assessment, duplicates, events, lifecycle, links, queries
from tests.unit.intake.conftest import Intake, matched
from tests.unit.intake.test_erasure import erase

SAM, ALEX = somebody("sam"), somebody("alex")


@pytest.fixture
def intake(intake_on_each_store: Intake) -> Intake:
    return intake_on_each_store


def link(intake: Intake, one: ReferralId, other: ReferralId, kind: LinkKind = LinkKind.SURVIVOR) -> Linked:
    request = Link(referral_id=one, other_referral_id=other, kind=kind, reason=LinkReason.FOUND_IN_RECORDS)
    linked: Linked = intake.ask(links.link, request, by=ALEX)
    return linked


def unlink(intake: Intake, link_id: LinkId) -> None:
    intake.ask(links.unlink, Unlink(link_id=link_id, reason=UnlinkReason.LINKED_IN_ERROR))


def links_of(intake: Intake, referral_id: ReferralId) -> list[LinkView]:
    found: list[LinkView] = intake.ask(links.list_links, ListLinks(referral_id=referral_id))
    return found


def test_a_link_is_seen_from_both_sides_and_said_by_identifiers_and_a_code(intake: Intake) -> None:
    one, other = intake.ask_for_help().referral_id, intake.ask_for_help().referral_id
    linked = link(intake, one, other)
    assert intake.emitted(ReferralsLinked) == [
        ReferralsLinked(link_id=linked.link_id, referral_id=one, other_referral_id=other, kind=LinkKind.SURVIVOR)
    ]
    assert [view.other_referral_id for view in links_of(intake, one)] == [other]
    assert [(view.other_referral_id, view.linked_by) for view in links_of(intake, other)] == [(one, ALEX.who)]


def test_what_was_erased_is_linked_to_nobody(intake: Intake) -> None:
    asked, erased = intake.ask_for_help(), intake.ask_for_help()
    erase(intake, erased.reference)
    with pytest.raises(errors.CannotLink):
        link(intake, asked.referral_id, erased.referral_id)


def test_a_link_is_undone_as_one_of_the_two_alone(intake: Intake) -> None:
    one, other, third = (intake.ask_for_help().referral_id for _ in range(3))
    linked = link(intake, one, other)
    with pytest.raises(errors.UnknownLink):
        intake.ask(links.unlink, Unlink(link_id=linked.link_id, reason=UnlinkReason.LINKED_IN_ERROR, referral_id=third))
    assert links_of(intake, one)
    intake.ask(links.unlink, Unlink(link_id=linked.link_id, reason=UnlinkReason.LINKED_IN_ERROR, referral_id=other))
    assert not links_of(intake, one)


def test_whoever_handles_one_of_two_is_told_so_by_the_history_of_the_other(intake: Intake) -> None:
    one, other = intake.ask_for_help().referral_id, intake.ask_for_help().referral_id
    link(intake, one, other)
    intake.ask(lifecycle.take_up, TakeUp(referral_id=one), by=SAM)
    for who, referral_id, handles in ((SAM, other, True), (SAM, one, False), (ALEX, other, False)):
        history = intake.ask(queries.get_history, GetHistory(referral_id=referral_id), by=who)
        assert history.handles_linked == handles


def test_nothing_is_linked_to_itself_or_twice(intake: Intake) -> None:
    one, other = intake.ask_for_help().referral_id, intake.ask_for_help().referral_id
    with pytest.raises(errors.CannotLink):
        link(intake, one, one)
    link(intake, one, other)
    with pytest.raises(errors.CannotLink):
        link(intake, other, one, LinkKind.PARTNER)
    with pytest.raises(errors.UnknownReferral):
        link(intake, one, ReferralId(new_id()))


HANDLE: dict[str, Any] = {
    "take up": lambda intake, id_, name: intake.ask(lifecycle.take_up, TakeUp(referral_id=id_), by=name),
    "suggest": lambda intake, id_, name: intake.ask(
        assessment.suggest_assessment, SuggestAssessment(referral_id=id_), by=name
    ),
    "assess": lambda intake, id_, name: intake.assess(id_, by=name),
    "signpost": lambda intake, id_, name: intake.ask(
        lifecycle.signpost, Signpost(referral_id=id_, reason=SignpostReason.OUT_OF_SCOPE), by=name
    ),
}


@pytest.mark.parametrize("what", HANDLE)
def test_who_handles_the_one_is_refused_the_other(intake: Intake, what: str) -> None:
    one, other = intake.ask_for_help().referral_id, intake.ask_for_help().referral_id
    intake.assess(one, by=SAM)
    link(intake, one, other)
    with pytest.raises(errors.HandlesLinkedReferral, match="to a colleague"):
        HANDLE[what](intake, other, SAM)
    HANDLE[what](intake, other, ALEX)


def test_once_unlinked_anybody_may_handle_both(intake: Intake) -> None:
    one, other = intake.ask_for_help().referral_id, intake.ask_for_help().referral_id
    intake.assess(one)
    linked = link(intake, one, other)
    unlink(intake, LinkId(linked.link_id))
    intake.assess(other)
    assert (links_of(intake, one), len(intake.emitted(ReferralsUnlinked))) == ([], 1)
    with pytest.raises(errors.UnknownLink):
        unlink(intake, LinkId(linked.link_id))
    assert link(intake, one, other).link_id != linked.link_id


def test_unlinking_holds_for_the_two_people_and_what_they_asked_again(intake: Intake) -> None:
    one, other = intake.ask_for_help(), intake.ask_for_help().referral_id
    third = intake.ask_for_help().referral_id
    linked = link(intake, one.referral_id, other)
    link(intake, one.referral_id, third)
    intake.withdraw(one.reference)
    again = ReferralId(intake.ask(lifecycle.re_refer, ReRefer(
        referral_id=one.referral_id, reason=ReReferralReason.CLIENT_ASKED
    )).referral_id)  # fmt: skip
    assert {kept.other_referral_id for kept in links_of(intake, again)} == {other, third}
    unlink(intake, LinkId(linked.link_id))
    assert {kept.other_referral_id for kept in links_of(intake, again)} == {third}
    assert links_of(intake, other) == []
    assert len(intake.emitted(ReferralsUnlinked)) == 2


def test_whoever_links_is_told_of_a_therapist_whom_the_two_have_in_common_already(intake: Intake) -> None:
    one, other = intake.ask_and_assess().referral_id, intake.ask_and_assess().referral_id
    first, second = matched(one), matched(other)
    same = second.from_json(second.to_json() | {"therapist_id": str(first.therapist_id)})
    intake.hear(events.note_match, first)
    intake.hear(events.note_match, same)
    assert link(intake, one, other).share_a_therapist
    assert TherapistId(first.therapist_id) == same.therapist_id


def test_links_of_people_without_a_therapist_have_none_in_common(intake: Intake) -> None:
    one, other = intake.ask_for_help().referral_id, intake.ask_for_help().referral_id
    assert not link(intake, one, other).share_a_therapist


def test_who_asks_again_is_kept_apart_from_the_same_people(intake: Intake) -> None:
    """Nobody of the charity who handles the other can take the new one up."""
    survivor, other = intake.ask_for_help().referral_id, intake.ask_for_help().referral_id
    link(intake, survivor, other)
    intake.ask(lifecycle.take_up, TakeUp(referral_id=survivor), by=SAM)
    intake.ask(lifecycle.withdraw, Withdraw(referral_id=other, reason=WithdrawalReason.CLIENT_ASKED))
    again = intake.ask(lifecycle.re_refer, ReRefer(referral_id=other, reason=ReReferralReason.CLIENT_ASKED)).referral_id
    assert [(one.other_referral_id, one.kind) for one in links_of(intake, again)] == [(survivor, LinkKind.SURVIVOR)]
    assert {one.other_referral_id for one in links_of(intake, survivor)} == {other, again}
    with pytest.raises(errors.HandlesLinkedReferral):
        intake.ask(lifecycle.take_up, TakeUp(referral_id=again), by=SAM)


def test_merging_and_unmerging_loses_no_link(intake: Intake) -> None:
    survivor, other, same = (intake.ask_for_help().referral_id for _ in range(3))
    link(intake, survivor, other)
    reason = MergeReason.SENT_TWICE
    intake.ask(duplicates.merge, Merge(referral_id=other, into_referral_id=same, reason=reason))
    assert [one.other_referral_id for one in links_of(intake, same)] == [survivor]
    partner = intake.ask_for_help().referral_id
    link(intake, same, partner, LinkKind.PARTNER)
    different = UnmergeReason.DIFFERENT_PEOPLE
    intake.ask(duplicates.unmerge, Unmerge(referral_id=other, reason=different))
    assert {one.other_referral_id for one in links_of(intake, other)} == {survivor, partner}
    assert {one.other_referral_id for one in links_of(intake, same)} == {survivor, partner}
