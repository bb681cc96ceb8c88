"""What people do with a referral, what is kept of it, and what is refused, on both stores."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from chassis.ids import new_id
from chassis.ports import NotYet
from contracts.commands.intake import (
    Close,
    FindPlace,
    GetReferences,
    Hold,
    ReRefer,
    ReReferred,
    Resume,
    SignOff,
    Signpost,
    TakeUp,
)
from contracts.events.billing import FirstSessionAttended
from contracts.events.intake import (
    ContactReleased,
    ReferralAssessed,
    ReferralClosed,
    ReferralHeld,
    ReferralReceived,
    ReferralResumed,
)
from contracts.events.matching import MatchingStalled, OfferDeclined, TherapistMatched, TherapistOffered
from contracts.sealed import HelpForm, Note, Whereabouts
from contracts.vocabulary import (
    ClientGroup,
    ClosureReason,
    DeclineReason,
    HoldReason,
    MatchEndReason,
    OfferId,
    PlaceKind,
    ReferralId,
    ReReferralReason,
    ResumptionReason,
    Sessions,
    SignpostReason,
    StallReason,
    TherapistId,
    Work,
)
from services.intake import errors
from services.intake.application import status
from services.intake.domain.referral import SafeguardingLeadFirst, StepNotPossible
from services.intake.domain.states import State
from services.intake.handlers import events, lifecycle, queries
from services.intake.store import personal_records, tables
from tests.support.samples import PASSPHRASE
from tests.unit.intake.conftest import MONDAY_10, Intake, matched

SAM = LEAD = "console:somebody"
BORN_17_YEARS_AGO = date(2008, 11, 24)  # tomorrow they come of age


@pytest.fixture
def intake(intake_on_each_store: Intake) -> Intake:
    return intake_on_each_store


def hold(intake: Intake, referral_id: ReferralId, **changes: Any) -> None:
    said = {"referral_id": referral_id, "reason": HoldReason.CLIENT_NOT_READY}
    intake.ask(lifecycle.pause, Hold(**(said | changes)))


def resume(intake: Intake, referral_id: ReferralId) -> None:
    intake.ask(lifecycle.resume, Resume(referral_id=referral_id, reason=ResumptionReason.CLIENT_READY))


def sign_off(intake: Intake, referral_id: ReferralId) -> None:
    intake.ask(lifecycle.sign_off, SignOff(referral_id=referral_id))


def offered(referral_id: ReferralId) -> TherapistOffered:
    return TherapistOffered(
        offer_id=OfferId(new_id()),
        referral_id=referral_id,
        therapist_id=TherapistId(new_id()),
        expires_at=MONDAY_10,
        client_group=ClientGroup.AT_RISK,
        work=Work.INDIVIDUAL,
        sessions=Sessions.ONLINE,
        distance_km=0.0,
    )


def declined(offer: TherapistOffered) -> OfferDeclined:
    return OfferDeclined(
        offer_id=offer.offer_id,
        referral_id=offer.referral_id,
        therapist_id=offer.therapist_id,
        reason=DeclineReason.AWAY,
    )


def attended(match: TherapistMatched) -> FirstSessionAttended:
    return FirstSessionAttended(
        referral_id=match.referral_id,
        match_id=match.match_id,
        therapist_id=match.therapist_id,
        attended_on=MONDAY_10.date(),
    )


def test_every_step_of_a_whole_life_is_kept_with_who_and_why(intake: Intake) -> None:
    referral_id, reference = intake.ask_for_help()
    intake.ask(lifecycle.take_up, TakeUp(referral_id=referral_id))
    intake.assess(referral_id)
    offer = offered(referral_id)
    intake.hear(events.note_offer, offer)
    intake.hear(events.note_offer_declined, declined(offer))
    intake.hear(events.note_offer, offered(referral_id))
    match = intake.match(referral_id)
    intake.hear(events.note_first_session, attended(match))
    assert intake.state(reference) == intake.status(reference).standing == "first_session_attended"
    intake.end_match(match, MatchEndReason.COMPLETED)
    assert intake.steps(referral_id) == [
        ("receive", "received", "client", None),
        ("take_up", "awaiting_assessment", SAM, None),
        ("assess", "assessed", SAM, None),
        ("offer", "offered", "matching", None),
        ("seek_on", "matching", "matching", "away"),
        ("offer", "offered", "matching", None),
        ("match", "matched", "matching", None),
        ("attend", "first_session_attended", "billing", None),
        ("end", "ended", "matching", "completed"),
        ("close", "closed", "rule", "therapy_ended"),
    ]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0), (2, 0, 1)])
def test_what_matching_says_leads_to_the_same_state_in_any_order(intake: Intake, order: tuple[int, ...]) -> None:
    referral_id, reference = intake.ask_and_assess()
    offer, match = offered(referral_id), matched(referral_id)
    said: list[Any] = [
        (events.note_offer, offer),
        (events.note_offer_declined, declined(offer)),
        (events.note_match, match),
    ]
    intake.hear(events.note_first_session, attended(match))
    for place in order:
        intake.hear(*said[place], sequence=place + 1)
    assert intake.state(reference) == "first_session_attended"


def test_a_referral_that_waits_for_long_is_known_to_be_sought_for(intake: Intake) -> None:
    referral_id, reference = intake.ask_and_assess()
    stalled = MatchingStalled(referral_id=referral_id, reason=StallReason.NOBODY_NEAR, waiting_since=MONDAY_10)
    for _ in range(2):
        intake.hear(events.note_stall, stalled)
    assert intake.state(reference) == "matching"
    assert intake.steps(referral_id)[-1] == ("seek_on", "matching", "matching", "nobody_near")


def test_what_matching_says_before_the_assessment_is_on_record_waits(intake: Intake) -> None:
    referral_id, _ = intake.ask_for_help()
    with pytest.raises(NotYet, match="assessment"):
        intake.hear(events.note_offer, offered(referral_id))


# Who is on it


def test_who_has_taken_a_request_up_is_shown_to_the_others(intake: Intake) -> None:
    referral_id, reference = intake.ask_for_help()
    assert [one.taken_up_by for one in intake.awaiting()] == [None]
    intake.ask(lifecycle.take_up, TakeUp(referral_id=referral_id))
    assert [(one.reference, one.taken_up_by) for one in intake.awaiting()] == [(reference, SAM)]
    with pytest.raises(StepNotPossible, match="is awaiting assessment"):
        intake.ask(lifecycle.take_up, TakeUp(referral_id=referral_id))


# Young people


@pytest.mark.parametrize(
    "said", [{"age": 17}, {"age": None, "client_group": ClientGroup.YOUNG_PERSON}, {"date_of_birth": BORN_17_YEARS_AGO}]
)
def test_a_young_person_is_not_assessed_before_the_safeguarding_lead_has_seen_them(
    intake: Intake, said: dict[str, Any]
) -> None:
    referral_id, _ = intake.ask_for_help(**said)
    assert [one.needs_safeguarding_lead for one in intake.awaiting()] == [True]
    signpost = Signpost(referral_id=referral_id, reason=SignpostReason.OUT_OF_SCOPE)
    with pytest.raises(SafeguardingLeadFirst, match="signs it off first"):
        intake.assess(referral_id)
    with pytest.raises(SafeguardingLeadFirst):
        intake.ask(lifecycle.signpost, signpost)
    assert intake.emitted(ReferralAssessed) == []
    sign_off(intake, referral_id)
    assert [one.needs_safeguarding_lead for one in intake.awaiting()] == [False]
    intake.assess(referral_id)
    assert ("sign_off", "received", LEAD, None) in intake.steps(referral_id)


def test_an_adult_needs_no_signature(intake: Intake) -> None:
    intake.ask_for_help(age=18)
    assert [one.needs_safeguarding_lead for one in intake.awaiting()] == [False]


# On hold


def test_a_hold_says_why_and_keeps_the_words_encrypted(intake: Intake) -> None:
    referral_id, reference = intake.ask_and_assess()
    hold(intake, referral_id, note=intake.seal(Note(text="Has moved in with a planted aunt.")))
    assert intake.emitted(ReferralHeld) == [ReferralHeld(referral_id=referral_id, reason=HoldReason.CLIENT_NOT_READY)]
    (row,) = intake.read(
        lambda unit: unit.session.execute(select(tables.steps).where(tables.steps.c.note.is_not(None))).all()
    )
    assert (row.taken_by, row.reason, b"planted" in row.note) == (SAM, "client_not_ready", False)
    vault = intake.dependencies.vault
    note = intake.read(lambda unit: vault.decrypt(unit.session, referral_id, Note, row.note))
    assert (note.text, intake.state(reference)) == ("Has moved in with a planted aunt.", "on_hold")


def test_a_hold_before_the_assessment_is_resumed_there(intake: Intake) -> None:
    referral_id, _ = intake.ask_for_help()
    hold(intake, referral_id)
    assert intake.awaiting() == []
    with pytest.raises(StepNotPossible, match="is on hold"):
        intake.assess(referral_id)
    resume(intake, referral_id)
    assert len(intake.awaiting()) == len(intake.emitted(ReferralResumed)) == 1
    intake.assess(referral_id)


def test_somebody_in_therapy_is_not_put_on_hold(intake: Intake) -> None:
    referral_id, _ = intake.ask_and_assess()
    intake.match(referral_id)
    with pytest.raises(StepNotPossible, match="is matched"):
        hold(intake, referral_id)


# The end, and after it


def test_a_referral_with_an_open_concern_is_closed_by_a_person(intake: Intake) -> None:
    referral_id, reference = intake.ask_and_assess(identifiable_person_at_risk=True)
    intake.end_match(intake.match(referral_id), MatchEndReason.COMPLETED)
    assert (intake.state(reference), intake.emitted(ReferralClosed)) == ("ended", [])
    intake.ask(lifecycle.close, Close(referral_id=referral_id, reason=ClosureReason.THERAPY_ENDED))
    assert intake.emitted(ReferralClosed) == [
        ReferralClosed(referral_id=referral_id, reason=ClosureReason.THERAPY_ENDED)
    ]
    assert intake.steps(referral_id)[-1] == ("close", "closed", SAM, "therapy_ended")


def test_an_open_referral_is_not_closed(intake: Intake) -> None:
    referral_id, _ = intake.ask_and_assess()
    with pytest.raises(StepNotPossible, match="is assessed"):
        intake.ask(lifecycle.close, Close(referral_id=referral_id, reason=ClosureReason.THERAPY_ENDED))


def re_refer(intake: Intake, referral_id: ReferralId) -> ReReferred:
    request = ReRefer(referral_id=referral_id, reason=ReReferralReason.CLIENT_ASKED)
    begun: ReReferred = intake.ask(lifecycle.re_refer, request)
    return begun


def test_who_asks_again_begins_anew_with_what_they_said_before(intake: Intake) -> None:
    before, reference = intake.ask_for_help(hopes="To talk.")
    intake.withdraw(reference)
    intake.clock.advance(timedelta(days=30))
    begun = re_refer(intake, before)
    first, second = intake.emitted(ReferralReceived)
    assert (second.referral_id, second.previous_referral_id) == (begun.referral_id, before)
    assert (second.received_at - first.received_at, second.outward_code) == (timedelta(days=30), "NP20")
    assert [one.reference for one in intake.awaiting()] == [begun.reference]
    assert (intake.state(reference), intake.find(begun.reference).previous_referral_id) == ("re_referred", before)
    assert intake.steps(ReferralId(begun.referral_id)) == [("receive", "received", SAM, "client_asked")]
    assert len(intake.emitted(ContactReleased)) == 2
    referral_id = ReferralId(begun.referral_id)
    content = intake.read(lambda unit: personal_records.get_personal_record(unit.session, referral_id))
    form = intake.read(lambda unit: intake.dependencies.vault.decrypt(unit.session, referral_id, HelpForm, content))
    assert form.hopes == "To talk."


def test_who_asks_again_and_again_is_recognised_by_the_first_passphrase(intake: Intake) -> None:
    first = intake.ask_for_help()
    intake.withdraw(first.reference)
    second = re_refer(intake, first.referral_id)
    intake.withdraw(second.reference)
    third = re_refer(intake, ReferralId(second.referral_id))
    assert intake.status(third.reference, PASSPHRASE).standing == "received"
    assert not intake.status(third.reference, "wrong passphrase").recognised


def test_a_young_person_who_asks_again_passes_the_lead_again(intake: Intake) -> None:
    referral_id, reference = intake.ask_for_help(age=16)
    sign_off(intake, referral_id)
    intake.withdraw(reference)
    begun = re_refer(intake, referral_id)
    with pytest.raises(SafeguardingLeadFirst):
        intake.assess(ReferralId(begun.referral_id))
    assert len(intake.raised()) == 2


def test_a_referral_under_way_is_not_begun_anew(intake: Intake) -> None:
    with pytest.raises(StepNotPossible, match="is received"):
        re_refer(intake, intake.ask_for_help().referral_id)


# Where nobody can tell where a person is

PLACES = {
    "Newport": ("ZZ99", PlaceKind.NOT_FOUND),
    "NP99 7XQ": ("ZZ99", PlaceKind.NOT_FOUND),
    "JE2 3AB": ("JE2", PlaceKind.CROWN_DEPENDENCY),
    "GY1 1AA": ("GY1", PlaceKind.CROWN_DEPENDENCY),
    "IM1 1AA": ("IM1", PlaceKind.CROWN_DEPENDENCY),
    "BFPO 57": ("BF1", PlaceKind.FORCES),
    "BF1 2AT": ("BF1", PlaceKind.FORCES),
    "NP20": ("NP20", PlaceKind.AREA_UNKNOWN),
    "NP20 4UR": ("NP20", PlaceKind.FOUND),
}


@pytest.mark.parametrize("typed", PLACES)
def test_nobody_is_turned_away_for_their_postcode_and_a_person_sees_what_is_to_be_found_out(
    intake: Intake, typed: str
) -> None:
    intake.ask_for_help(postcode=typed)
    (received,) = intake.emitted(ReferralReceived)
    (waiting,) = intake.awaiting()
    assert (received.outward_code, waiting.place) == PLACES[typed]
    assert (received.police_force_area is not None) is (waiting.place is PlaceKind.FOUND)


def find_place(intake: Intake, referral_id: ReferralId, postcode: str) -> None:
    whereabouts = intake.seal(Whereabouts(postcode=postcode))
    intake.ask(lifecycle.find_place, FindPlace(referral_id=referral_id, whereabouts=whereabouts))


def test_a_person_finds_out_where_a_client_is(intake: Intake) -> None:
    referral_id, _ = intake.ask_for_help(postcode="Newport")
    find_place(intake, referral_id, "NP20 4UR")
    first, second = intake.emitted(ReferralReceived)
    assert (first.outward_code, second.outward_code, second.police_force_area) == ("ZZ99", "NP20", "gwent")
    assert (first.received_at, [one.place for one in intake.awaiting()]) == (second.received_at, [PlaceKind.FOUND])
    assert intake.steps(referral_id)[-1] == ("find_place", "received", SAM, None)
    content = intake.read(lambda unit: personal_records.get_personal_record(unit.session, referral_id))
    form = intake.read(lambda unit: intake.dependencies.vault.decrypt(unit.session, referral_id, HelpForm, content))
    assert form.postcode == "NP20 4UR"


def test_a_place_that_there_is_not_is_not_found(intake: Intake) -> None:
    referral_id, _ = intake.ask_for_help(postcode="Newport")
    with pytest.raises(errors.UnknownPlace, match="Check the first part"):
        find_place(intake, referral_id, "NP99 7XQ")
    assert [one.place for one in intake.awaiting()] == [PlaceKind.NOT_FOUND]


def test_every_state_has_words_for_its_client() -> None:
    assert set(status.WORDS) == set(State)


def test_lists_are_told_by_which_references_people_know_referrals(intake: Intake) -> None:
    one, other = intake.ask_for_help(), intake.ask_for_help()
    ids = (one.referral_id, other.referral_id, ReferralId(new_id()))
    told = intake.ask(queries.get_references, GetReferences(referral_ids=ids))
    assert {found.referral_id: found.reference for found in told} == {
        one.referral_id: one.reference,
        other.referral_id: other.reference,
    }
