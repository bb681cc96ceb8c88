"""Who is asked, who is asked next, and what happens when nobody can be."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest

from chassis.ports import NotYet
from contracts.commands.matching import AcceptOffer, ChangePlaces, EndMatch, GetStanding, SuspendTherapist
from contracts.events.billing import (
    MembershipLapsed,
    MembershipRenewed,
    SubsidyDeclined,
    SubsidyWaitlisted,
)
from contracts.events.intake import ReferralWithdrawn
from contracts.events.matching import (
    MatchEnded,
    MatchingStalled,
    OfferDeclined,
    OfferExpired,
    OfferWithdrawn,
    TherapistAdmitted,
    TherapistContactChanged,
    TherapistMatched,
    TherapistOffered,
    TherapistReinstated,
    TherapistSuspended,
)
from contracts.vocabulary import (
    ClientGroup,
    Competence,
    InvoiceId,
    MatchEndReason,
    MatchId,
    OfferId,
    ReferralId,
    Sessions,
    Sex,
    StallReason,
    SubsidyDeclineReason,
    SubsidyWaitReason,
    SuspensionReason,
    TherapistId,
    WithdrawalReason,
    Work,
)
from services.matching import errors
from services.matching.domain.offer import NotTheirOffer, OfferNoLongerOpen
from services.matching.handlers import commands, events, lifecycle, queries, therapists
from tests.unit.matching.conftest import CARDIFF, LONDON, NEWPORT, POLISH_ONLY, TIMERS, WELSH_ONLY, Matching, approved

TODAY = date(2026, 11, 23)


def test_the_nearest_is_asked_first(matching: Matching) -> None:
    matching.admit(outward_code=CARDIFF)
    near = matching.admit(outward_code=NEWPORT)
    assert matching.asked(matching.search_for()) == near


def test_an_offer_says_how_long_it_is_open_and_nothing_of_the_client(matching: Matching) -> None:
    matching.admit()
    matching.search_for()
    (offered,) = matching.emitted(TherapistOffered)
    assert offered.expires_at - matching.clock.now() == timedelta(days=2)
    assert set(offered.to_json()) == {
        "offer_id", "referral_id", "therapist_id", "expires_at", "client_group", "work", "sessions", "distance_km",
        "sealed",
    }  # fmt: skip


UNSUITABLE: dict[str, tuple[dict[str, Any], dict[str, Any], StallReason]] = {
    "not trained for higher risk": ({}, {"competence": Competence.HIGHER}, StallReason.NOBODY_QUALIFIED),
    "other client group": ({}, {"client_group": ClientGroup.SURVIVOR}, StallReason.NOBODY_QUALIFIED),
    "no couple work": ({}, {"work": Work.COUPLE}, StallReason.NOBODY_QUALIFIED),
    "other language": (
        {},
        {"therapy_languages": POLISH_ONLY},
        StallReason.NOBODY_QUALIFIED,
    ),
    "other sex than needed": (
        {},
        {"therapist_sex": Sex.MALE, "therapist_sex_only": True},
        StallReason.NOBODY_QUALIFIED,
    ),
    "too far away": ({"outward_code": LONDON}, {}, StallReason.NOBODY_NEAR),
    "only online": ({"sessions": Sessions.ONLINE}, {}, StallReason.NOBODY_NEAR),
    "only in person": ({}, {"sessions": Sessions.ONLINE}, StallReason.NOBODY_NEAR),
    "no way in for a wheelchair": ({"wheelchair_access": False}, {"wheelchair_access": True}, StallReason.NOBODY_NEAR),
    "too dear": ({}, {"fee_ceiling_pence": 59_99}, StallReason.NOBODY_AFFORDABLE),
    "no room": ({"places": 0}, {}, StallReason.NOBODY_WITH_ROOM),
}


@pytest.mark.parametrize("why", UNSUITABLE)
def test_who_does_not_suit_is_not_asked_and_the_reason_is_known(matching: Matching, why: str) -> None:
    therapist, referral, reason = UNSUITABLE[why]
    matching.admit(**therapist)
    standing = matching.standing(matching.search_for(**referral))
    assert (standing.state, standing.waiting_for) == ("waiting", reason)


SUITABLE: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "higher training includes lower": ({"competence": Competence.HIGHER}, {}),
    "either meets online": ({"sessions": Sessions.EITHER, "outward_code": LONDON}, {"sessions": Sessions.ONLINE}),
    "either on both sides, far apart": (
        {"sessions": Sessions.EITHER, "outward_code": LONDON}, {"sessions": Sessions.EITHER},
    ),
    "exactly affordable": ({}, {"fee_ceiling_pence": 60_00}),
    "nothing said of what can be paid": ({"session_fee_pence": 120_00}, {}),
    "a second language": ({"languages": ("en", "cy")}, {"therapy_languages": WELSH_ONLY}),
    "letters in another language": ({}, {"language": "pl"}),
}  # fmt: skip


@pytest.mark.parametrize("why", SUITABLE)
def test_who_suits_is_asked(matching: Matching, why: str) -> None:
    therapist, referral = SUITABLE[why]
    therapist_id = matching.admit(**therapist)
    assert matching.asked(matching.search_for(**referral)) == therapist_id


def test_meeting_in_person_goes_before_meeting_online(matching: Matching) -> None:
    matching.admit(sessions=Sessions.ONLINE)
    in_person = matching.admit(outward_code=CARDIFF)
    assert matching.asked(matching.search_for(sessions=Sessions.EITHER)) == in_person


def test_among_those_who_meet_online_the_one_with_most_room_goes_first(matching: Matching) -> None:
    matching.admit(sessions=Sessions.ONLINE, places=1)
    roomy = matching.admit(sessions=Sessions.ONLINE, places=5, outward_code=LONDON)
    assert matching.asked(matching.search_for(sessions=Sessions.ONLINE)) == roomy


def test_however_many_with_more_room_cannot_help_the_one_who_can_is_asked(matching: Matching) -> None:
    for _ in range(20):
        matching.admit(sessions=Sessions.ONLINE, places=5, client_groups=(ClientGroup.OFFENDED,))
    able = matching.admit(sessions=Sessions.ONLINE, places=1)
    assert matching.asked(matching.search_for(sessions=Sessions.ONLINE)) == able


def test_an_open_offer_holds_a_place(matching: Matching) -> None:
    matching.admit(places=1)
    matching.search_for()
    assert matching.standing(matching.search_for()).waiting_for is StallReason.NOBODY_WITH_ROOM


def test_acceptance_makes_a_match(matching: Matching) -> None:
    therapist = matching.admit(outward_code=CARDIFF)
    referral = matching.search_for()
    match_id = matching.accept(referral)
    (matched,) = matching.emitted(TherapistMatched)
    assert (matched.match_id, matched.referral_id, matched.therapist_id) == (match_id, referral, therapist)
    assert (matched.session_fee_pence, matched.sessions) == (60_00, Sessions.IN_PERSON)
    assert 15 < matched.distance_km < 25
    assert matching.standing(referral).state == "matched"


def test_who_declines_is_not_asked_again_and_the_next_best_is(matching: Matching) -> None:
    near, far = matching.admit(), matching.admit(outward_code=CARDIFF)
    referral = matching.search_for()
    assert matching.asked(referral) == near
    matching.decline(referral)
    assert matching.asked(referral) == far
    matching.decline(referral)
    assert matching.standing(referral).waiting_for is StallReason.ALL_DECLINED
    assert len(matching.emitted(OfferDeclined)) == 2


def test_an_unanswered_offer_expires_and_the_next_best_is_asked(matching: Matching) -> None:
    near, far = matching.admit(), matching.admit(outward_code=CARDIFF)
    referral = matching.search_for()
    matching.clock.advance(timedelta(days=2))
    matching.fire_due(TIMERS)
    (expired,) = matching.emitted(OfferExpired)
    assert (expired.therapist_id, matching.asked(referral)) == (near, far)


def test_an_answered_offer_does_not_expire(matching: Matching) -> None:
    matching.admit()
    matching.accept(matching.search_for())
    matching.clock.advance(timedelta(days=30))
    matching.fire_due(TIMERS)
    assert matching.emitted(OfferExpired) == []


def test_an_expired_offer_can_no_longer_be_accepted(matching: Matching) -> None:
    matching.admit()
    matching.search_for()
    (offered,) = matching.emitted(TherapistOffered)
    matching.clock.advance(timedelta(days=2))
    matching.fire_due(TIMERS)
    with pytest.raises(OfferNoLongerOpen, match="it was expired"):
        matching.ask(commands.accept_offer, AcceptOffer(offer_id=offered.offer_id, therapist_id=offered.therapist_id))


def test_an_offer_is_for_the_therapist_it_was_made_to(matching: Matching) -> None:
    matching.admit()
    matching.search_for()
    (offered,) = matching.emitted(TherapistOffered)
    with pytest.raises(NotTheirOffer, match="another therapist") as refused:
        matching.ask(commands.accept_offer, AcceptOffer(offer_id=offered.offer_id, therapist_id=TherapistId(uuid4())))
    assert refused.value.name == "UnknownOffer"
    with pytest.raises(errors.UnknownOffer):
        matching.ask(commands.accept_offer, AcceptOffer(offer_id=OfferId(uuid4()), therapist_id=offered.therapist_id))


NEW_CHANCES = {
    "a therapist is admitted": lambda matching, busy: matching.admit(),
    "a place is made": lambda matching, busy: matching.ask(
        commands.change_places, ChangePlaces(therapist_id=busy, places=1)
    ),
    "a therapy ends": lambda matching, busy: end_only_match(matching),
}


@pytest.mark.parametrize("what", NEW_CHANCES)
def test_the_waiting_list_is_tried_again_when(matching: Matching, what: str) -> None:
    busy = matching.admit()
    matching.accept(matching.search_for())
    waiting = matching.search_for()
    assert matching.asked(waiting) is None
    NEW_CHANCES[what](matching, busy)
    matching.fire_due(TIMERS)
    assert matching.asked(waiting) is not None


def test_the_longest_waiting_is_served_first(matching: Matching) -> None:
    first = matching.search_for()
    matching.clock.advance(timedelta(minutes=1))
    second = matching.search_for()
    matching.admit(places=1)
    assert (matching.asked(first) is not None, matching.asked(second)) == (True, None)


def test_a_person_is_told_of_who_waits_for_five_working_days(matching: Matching) -> None:
    referral = matching.search_for()
    matching.clock.advance(timedelta(days=6, hours=23))
    matching.fire_due(TIMERS)
    assert matching.emitted(MatchingStalled) == []
    matching.clock.advance(timedelta(hours=1))
    matching.fire_due(TIMERS)
    (stalled,) = matching.emitted(MatchingStalled)
    assert (stalled.referral_id, stalled.reason) == (referral, StallReason.NOBODY_QUALIFIED)


def test_nobody_is_told_of_who_was_matched_meanwhile(matching: Matching) -> None:
    referral = matching.search_for()
    matching.admit()
    matching.accept(referral)
    matching.clock.advance(timedelta(days=30))
    matching.fire_due(TIMERS)
    assert matching.emitted(MatchingStalled) == []


def test_a_subsidy_is_waited_for_and_widens_the_choice(matching: Matching) -> None:
    matching.admit()
    referral = matching.search_for(subsidy_requested=True, fee_ceiling_pence=20_00)
    assert matching.standing(referral).state == "awaiting_subsidy"
    matching.hear(events.note_subsidy, approved(referral, 40_00))
    assert matching.asked(referral) is not None


def test_without_a_subsidy_somebody_is_sought_whom_the_client_can_pay(matching: Matching) -> None:
    matching.admit()
    cheap = matching.admit(session_fee_pence=20_00, outward_code=CARDIFF)
    referral = matching.search_for(subsidy_requested=True, fee_ceiling_pence=20_00)
    refused = SubsidyWaitlisted(referral_id=referral, reason=SubsidyWaitReason.NO_MONEY)
    matching.hear(events.note_subsidy_waitlisted, refused)
    assert matching.asked(referral) == cheap


def test_who_needs_no_subsidy_does_not_wait_for_one(matching: Matching) -> None:
    therapist = matching.admit()
    referral = matching.search_for(subsidy_requested=True, fee_ceiling_pence=60_00)
    declined = SubsidyDeclined(referral_id=referral, reason=SubsidyDeclineReason.WITHIN_MEANS)
    matching.hear(events.note_subsidy_declined, declined)
    assert matching.asked(referral) == therapist


def test_who_asks_for_a_subsidy_and_names_no_ceiling_can_pay_nothing(matching: Matching) -> None:
    matching.admit()
    referral = matching.search_for(subsidy_requested=True)
    refused = SubsidyWaitlisted(referral_id=referral, reason=SubsidyWaitReason.NO_MONEY)
    matching.hear(events.note_subsidy_waitlisted, refused)
    assert matching.standing(referral).waiting_for is StallReason.NOBODY_AFFORDABLE


def test_an_older_word_of_billing_does_not_undo_a_newer_one(matching: Matching) -> None:
    matching.admit()
    referral = matching.receive(subsidy_requested=True, fee_ceiling_pence=20_00)
    matching.hear(events.note_subsidy, approved(referral, 40_00), sequence=2)
    refused = SubsidyWaitlisted(referral_id=referral, reason=SubsidyWaitReason.NO_MONEY)
    matching.hear(events.note_subsidy_waitlisted, refused, sequence=1)
    matching.assess(referral)
    assert matching.asked(referral) is not None


def withdraw(matching: Matching, referral: ReferralId) -> None:
    withdrawn = ReferralWithdrawn(referral_id=referral, reason=WithdrawalReason.CLIENT_ASKED)
    matching.hear(lifecycle.stop_withdrawn, withdrawn)
    matching.fire_due(TIMERS)


def test_a_withdrawal_takes_the_open_offer_back_and_frees_its_place(matching: Matching) -> None:
    matching.admit(places=1)
    referral, next_in_line = matching.search_for(), matching.search_for()
    withdraw(matching, referral)
    assert matching.standing(referral).state == "stopped"
    assert len(matching.emitted(OfferWithdrawn)) == 1
    assert matching.asked(next_in_line) is not None


def test_a_withdrawal_ends_a_match_and_frees_its_place(matching: Matching) -> None:
    matching.admit(places=1)
    referral, next_in_line = matching.search_for(), matching.search_for()
    matching.accept(referral)
    withdraw(matching, referral)
    (ended,) = matching.emitted(MatchEnded)
    assert ended.reason is MatchEndReason.WITHDRAWN
    assert matching.asked(next_in_line) is not None


def test_a_withdrawal_from_the_waiting_list_ends_the_search(matching: Matching) -> None:
    referral = matching.search_for()
    withdraw(matching, referral)
    matching.admit()
    matching.clock.advance(timedelta(days=30))
    matching.fire_due(TIMERS)
    assert matching.asked(referral) is None
    assert matching.emitted(MatchingStalled) == []


def test_an_assessment_after_a_withdrawal_starts_nothing(matching: Matching) -> None:
    matching.admit()
    referral = matching.receive()
    withdraw(matching, referral)
    matching.assess(referral)
    assert matching.asked(referral) is None


def test_an_unhappy_client_gets_another_therapist(matching: Matching) -> None:
    first, other = matching.admit(), matching.admit(outward_code=CARDIFF)
    referral = matching.search_for()
    match_id = MatchId(matching.accept(referral))
    matching.ask(commands.end_match, EndMatch(match_id=match_id, reason=MatchEndReason.CLIENT_UNHAPPY))
    assert (matching.asked(referral), first != other) == (other, True)


def test_a_withdrawal_is_not_made_here(matching: Matching) -> None:
    matching.admit()
    match_id = MatchId(matching.accept(matching.search_for()))
    with pytest.raises(errors.WithdrawAtIntake, match="at intake"):
        matching.ask(commands.end_match, EndMatch(match_id=match_id, reason=MatchEndReason.WITHDRAWN))


def test_a_match_ends_once(matching: Matching) -> None:
    matching.admit()
    match_id = MatchId(matching.accept(matching.search_for()))
    end = EndMatch(match_id=match_id, reason=MatchEndReason.COMPLETED)
    assert matching.ask(commands.end_match, end).changed
    assert not matching.ask(commands.end_match, end).changed
    assert len(matching.emitted(MatchEnded)) == 1


def lapsed(therapist: TherapistId) -> MembershipLapsed:
    return MembershipLapsed(therapist_id=therapist, invoice_id=InvoiceId(uuid4()), lapsed_on=TODAY)


def renewed(therapist: TherapistId) -> MembershipRenewed:
    return MembershipRenewed(
        therapist_id=therapist, invoice_id=InvoiceId(uuid4()), starts_on=TODAY, ends_on=TODAY, amount_pence=50_00
    )


def test_a_lapsed_membership_stops_new_offers_and_not_therapy_in_progress(matching: Matching) -> None:
    therapist = matching.admit(places=3)
    in_therapy = matching.search_for()
    matching.accept(in_therapy)
    offered = matching.search_for()
    matching.hear(therapists.suspend_lapsed, lapsed(therapist))
    matching.fire_due(TIMERS)
    assert matching.standing(in_therapy).state == "matched"
    assert matching.asked(offered) is None
    assert [one.reason for one in matching.emitted(TherapistSuspended)] == [SuspensionReason.MEMBERSHIP_LAPSED]
    assert len(matching.emitted(OfferWithdrawn)) == 1


def test_a_renewed_membership_brings_new_offers(matching: Matching) -> None:
    therapist = matching.admit()
    matching.hear(therapists.suspend_lapsed, lapsed(therapist))
    referral = matching.search_for()
    matching.hear(therapists.reinstate_renewed, renewed(therapist))
    matching.fire_due(TIMERS)
    assert matching.asked(referral) == therapist
    assert len(matching.emitted(TherapistReinstated)) == 1


def test_a_lapse_that_arrives_after_its_own_renewal_does_nothing(matching: Matching) -> None:
    therapist = matching.admit()
    matching.hear(therapists.reinstate_renewed, renewed(therapist), sequence=2)
    matching.hear(therapists.suspend_lapsed, lapsed(therapist), sequence=1)
    assert matching.asked(matching.search_for()) == therapist


def test_who_is_suspended_for_two_reasons_needs_both_put_right(matching: Matching) -> None:
    therapist = matching.admit()
    complaint = SuspendTherapist(therapist_id=therapist, reason=SuspensionReason.COMPLAINT)
    matching.ask(commands.suspend_therapist, complaint)
    matching.hear(therapists.suspend_lapsed, lapsed(therapist))
    matching.hear(therapists.reinstate_renewed, renewed(therapist))
    assert matching.asked(matching.search_for()) is None


def test_facts_that_come_before_what_they_build_on_wait(matching: Matching) -> None:
    unknown = ReferralId(uuid4())
    with pytest.raises(NotYet):
        matching.assess(unknown)
    with pytest.raises(NotYet):
        matching.hear(events.note_subsidy, approved(unknown, 1))
    with pytest.raises(NotYet):
        withdraw(matching, unknown)
    with pytest.raises(NotYet):
        matching.hear(therapists.suspend_lapsed, lapsed(TherapistId(uuid4())))


def test_hearing_anything_twice_changes_nothing(matching: Matching) -> None:
    matching.admit(places=5)
    referral = matching.search_for()
    before = len(matching.all_emitted)
    matching.assess(referral)
    assert len(matching.all_emitted) == before


def test_an_admission_is_published_with_the_contact_as_it_was_sealed(matching: Matching) -> None:
    therapist = matching.admit(contact="a.sealed.contact")
    (contact,) = matching.emitted(TherapistContactChanged)
    (admitted,) = matching.emitted(TherapistAdmitted)
    assert (contact.therapist_id, contact.sealed) == (therapist, "a.sealed.contact")
    assert admitted.outward_code == NEWPORT


def test_a_therapist_whose_outward_code_is_unknown_is_not_admitted(matching: Matching) -> None:
    with pytest.raises(errors.UnknownOutwardCode):
        matching.admit(outward_code="ZZ99")


def test_a_referral_from_where_no_distance_can_be_told_is_offered_online(matching: Matching) -> None:
    matching.admit()
    online = matching.admit(sessions=Sessions.ONLINE)
    assert matching.asked(matching.search_for(outward_code="JE2", sessions=Sessions.EITHER)) == online


def test_an_unknown_referral_is_said_to_be_unknown(matching: Matching) -> None:
    with pytest.raises(errors.UnknownReferral):
        matching.ask(queries.ask_standing, GetStanding(referral_id=ReferralId(uuid4())))


def end_only_match(matching: Matching) -> None:
    (matched,) = matching.emitted(TherapistMatched)
    matching.ask(commands.end_match, EndMatch(match_id=matched.match_id, reason=MatchEndReason.COMPLETED))
