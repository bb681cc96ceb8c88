"""What intake makes of what it hears, and that nothing personal gets out of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from chassis.ids import new_id
from chassis.ports import EventHandler, NotYet
from contracts.event import Event
from contracts.events.intake import (
    ContactReleased,
    HelpRequestRefused,
    ReferralClosed,
    ReferralReceived,
    ReferralWithdrawn,
    SafeguardingConcernRaised,
)
from contracts.events.web import HelpRequested
from contracts.reference import reference_for
from contracts.sealed import Aspects, Credentials, HelpForm, HelpSubmission, SafeChannel, SafeContact
from contracts.shape import InvalidShape
from contracts.vocabulary import (
    AgeBand,
    ClientGroup,
    ClosureReason,
    ConcernCategory,
    ConcernId,
    ContactPurpose,
    Known,
    MatchEndReason,
    PersonId,
    ReferralId,
    RefusalReason,
    Route,
    Sessions,
    Severity,
    SubmissionId,
    WithdrawalReason,
)
from services.intake.domain.referral import Referral
from services.intake.handlers import events, requests, safeguarding
from services.intake.store import personal_records
from tests.support.samples import PASSPHRASE, consents, submission
from tests.unit.intake.conftest import (
    MONDAY_10,
    Intake,
    acknowledged,
    ended,
    matched,
    message,
    risk_flagged,
    withdrawal,
)

UNKNOWN_REFERENCE = reference_for(SubmissionId(new_id()))
EMAIL = SafeContact(channel=SafeChannel.EMAIL, email="robin@example.org")
AT_RISK = (Severity.IMMEDIATE, ConcernCategory.PERSON_AT_RISK)
YOUNG = (Severity.ADVISORY, ConcernCategory.YOUNG_CLIENT)

# Taking a request in


def test_a_request_is_received_with_the_areas_of_its_full_postcode(intake: Intake) -> None:
    referral_id, _ = intake.ask_for_help(fee_ceiling_pence=20_00, subsidy_requested=True)
    assert intake.emitted(ReferralReceived) == [
        ReferralReceived(
            referral_id=referral_id,
            received_at=MONDAY_10,
            route=Route.SELF,
            client_group=ClientGroup.AT_RISK,
            age_band=AgeBand.FROM_35,
            outward_code="NP20",
            local_authority="W06000022",
            police_force_area="gwent",
            language="en",
            sessions=Sessions.EITHER,
            max_distance_km=30.0,
            subsidy_requested=True,
            fee_ceiling_pence=20_00,
            known_to_authorities=Known.NO,
            evaluation_consented=True,
            person_id=PersonId(referral_id),
        )
    ]


def test_an_outward_code_alone_decides_no_area(intake: Intake) -> None:
    intake.ask_for_help(postcode="np20")
    (received,) = intake.emitted(ReferralReceived)
    places = (received.outward_code, received.local_authority, received.police_force_area)
    assert places == ("NP20", None, None)


def test_who_does_not_agree_to_evaluation_is_taken_and_not_evaluated(intake: Intake) -> None:
    intake.ask_for_help(consents=consents(evaluation=False))
    assert [event.evaluation_consented for event in intake.emitted(ReferralReceived)] == [False]


def test_the_contact_is_released_to_notifications_alone(intake: Intake) -> None:
    referral_id, reference = intake.ask_for_help(language="cy")
    ((therapist_id, opened),) = intake.released(ContactPurpose.ADDRESS_BOOK)
    assert (opened.referral_id, opened.reference) == (referral_id, reference)
    assert (therapist_id, opened.name, opened.language, opened.contact) == (None, "Robin Example", "cy", EMAIL)
    (released,) = intake.emitted(ContactReleased)
    with pytest.raises(ValueError, match="not sealed to this reader"):
        intake.dependencies.keyring.open(Credentials, released.sealed)


def test_what_was_written_is_kept_whole_and_without_the_passphrase(intake: Intake) -> None:
    referral_id, _ = intake.ask_for_help(concern="I am worried.", hopes="To talk.")
    content = intake.read(lambda unit: personal_records.get_personal_record(unit.session, referral_id))
    vault = intake.dependencies.vault
    kept = intake.read(lambda unit: vault.decrypt(unit.session, referral_id, HelpForm, content))
    assert kept == HelpForm.from_json(submission(concern="I am worried.", hopes="To talk.").to_json())
    with pytest.raises(InvalidShape, match="passphrase: Missing"):
        intake.read(lambda unit: vault.decrypt(unit.session, referral_id, HelpSubmission, content))


def changed(event: HelpRequested, **changes: Any) -> HelpRequested:
    return HelpRequested.from_json(event.to_json() | changes)


def broken(event: HelpRequested) -> HelpRequested:
    """Altered in the middle of what is sealed."""
    start, end = event.sealed[: len(event.sealed) // 2], event.sealed[len(event.sealed) // 2 :]
    return changed(event, sealed=start + ("A" if end[0] != "A" else "B") + end[1:])


REFUSED: dict[str, tuple[RefusalReason, Callable[[Intake], HelpRequested]]] = {
    "not sealed at all": (RefusalReason.UNSEALED, lambda intake: changed(intake.requested(), sealed="Please help me.")),
    "altered on the way": (RefusalReason.UNSEALED, lambda intake: broken(intake.requested())),
    "sealed to another": (
        RefusalReason.UNSEALED,
        lambda intake: changed(intake.requested(), sealed=intake.web.seal("notifications", submission())),
    ),
    "another shape inside": (RefusalReason.MALFORMED, lambda intake: intake.sealed_request(Aspects(risk="None."))),
    "no passphrase": (
        RefusalReason.MALFORMED,
        lambda intake: intake.sealed_request(HelpForm.from_json(submission().to_json())),
    ),
    "another form": (RefusalReason.UNKNOWN_FORM, lambda intake: changed(intake.requested(), form="survey")),
    "another version": (RefusalReason.UNKNOWN_FORM, lambda intake: changed(intake.requested(), form_version=2)),
    "not to be processed": (
        RefusalReason.CONSENT_MISSING,
        lambda intake: intake.requested(consents=consents(processing=False)),
    ),
    "limits of confidentiality not understood": (
        RefusalReason.CONSENT_MISSING,
        lambda intake: intake.requested(consents=consents(confidentiality_understood=False)),
    ),
}


FIELDS_AT_FAULT = {"another shape inside": "route", "no passphrase": "passphrase"}


@pytest.mark.parametrize("why", REFUSED)
def test_what_cannot_be_taken_is_refused_with_its_reason_and_leaves_nothing(intake: Intake, why: str) -> None:
    reason, make = REFUSED[why]
    event = make(intake)
    intake.submit(event)
    field = FIELDS_AT_FAULT.get(why)
    assert intake.all_emitted == [HelpRequestRefused(submission_id=event.submission_id, reason=reason, field=field)]
    stored = intake.stored()
    assert not any(stored[table] for table in ("referral", "personal_record", "data_key", "safeguarding_concern"))


def test_what_was_refused_can_be_put_right_and_sent_again(intake: Intake) -> None:
    submission_id = new_id()
    intake.submit(intake.requested(submission_id, consents=consents(processing=False)))
    intake.submit(intake.requested(submission_id))
    assert intake.refusals() == [RefusalReason.CONSENT_MISSING]
    assert intake.state(reference_for(submission_id)) == "received"


def test_a_submission_is_taken_once(intake: Intake) -> None:
    submission_id = new_id()
    intake.submit(intake.requested(submission_id))
    intake.submit(intake.requested(submission_id, name="Alex Example"))
    assert intake.refusals() == [RefusalReason.REPLAYED]
    assert len(intake.emitted(ReferralReceived)) == len(intake.emitted(ContactReleased)) == 1


def test_a_taken_reference_gives_the_next_candidate(intake: Intake) -> None:
    submission_id = new_id()
    occupy(intake, reference_for(submission_id))
    intake.submit(intake.requested(submission_id))
    ((_, contact),) = intake.released(ContactPurpose.ADDRESS_BOOK)
    assert contact.reference == reference_for(submission_id, 1)
    assert intake.status(contact.reference).recognised


def test_two_taken_references_give_the_one_after(intake: Intake) -> None:
    submission_id = new_id()
    occupy(intake, reference_for(submission_id))
    occupy(intake, reference_for(submission_id, 1))
    intake.submit(intake.requested(submission_id))
    ((_, contact),) = intake.released(ContactPurpose.ADDRESS_BOOK)
    assert contact.reference == reference_for(submission_id, 2)


def occupy(intake: Intake, reference: str) -> None:
    other = Referral(
        id=ReferralId(new_id()),
        submission_id=SubmissionId(new_id()),
        reference=reference,
        client_group=ClientGroup.FAMILY,
        received_at=MONDAY_10,
        assess_by=MONDAY_10,
        passphrase_mark=b"another's",
    )
    intake.read(lambda unit: unit.session.add(other))


@pytest.mark.parametrize(
    ("said", "raised"),
    [
        ({}, []),
        ({"identifiable_person_at_risk": True}, [AT_RISK]),
        ({"age": 17}, [YOUNG]),
        ({"age": 16, "identifiable_person_at_risk": True}, [AT_RISK, YOUNG]),
    ],
)
def test_a_request_raises_the_concerns_that_the_policy_asks_for(
    intake: Intake, said: dict[str, Any], raised: list[tuple[Severity, ConcernCategory]]
) -> None:
    referral_id, _ = intake.ask_for_help(**said)
    assert intake.raised() == raised
    assert {event.referral_id for event in intake.emitted(SafeguardingConcernRaised)} <= {referral_id}
    on_record = [(one.severity, one.category, one.raised_by) for one in intake.concerns(referral_id)]
    assert sorted(on_record) == sorted((*one, "rule") for one in raised)


# Privacy

PLANTED_PASSPHRASE = "planted lantern meadow"
PLANTED: dict[str, Any] = {
    "name": "Robin Planted",
    "postcode": "NP20 4UR",
    "contact": SafeContact(
        channel=SafeChannel.POST,
        email="planted@example.org",
        telephone="01632 960123",
        address="1 Planted Street, Newport",
    ),
    "concern": "A planted worry",
    "hopes": "A planted hope",
    "passphrase": PLANTED_PASSPHRASE,
    "identifiable_person_at_risk": True,
}
PERSONAL = (
    "Robin", "planted", "Planted", "960123", "NP20 4UR", "NP204UR", "lantern", "worry",
)  # fmt: skip


def a_full_life(intake: Intake) -> str:
    """Everything that intake does with a client, from the request to a withdrawal; gives their reference."""
    referral_id, reference = intake.ask_for_help(**PLANTED)
    intake.assess(referral_id, aspects=intake.web.seal("intake", Aspects(risk="Planted aspect", social="planted")))
    intake.end_match(intake.match(referral_id), MatchEndReason.CLIENT_UNHAPPY)
    intake.match(referral_id)
    intake.flag_risk(referral_id)
    intake.status(reference, PLANTED_PASSPHRASE)
    intake.withdraw(reference, "planted but wrong")
    intake.withdraw(reference, PLANTED_PASSPHRASE)
    intake.submit(intake.requested(**(PLANTED | {"postcode": "NP99 4UR", "consents": consents(processing=False)})))
    return reference


def test_no_event_holds_a_personal_value(intake: Intake) -> None:
    reference = a_full_life(intake)
    assert len({type(event) for event in intake.all_emitted}) == 7
    said = " ".join(json.dumps(event.to_json()) for event in intake.all_emitted)
    assert [value for value in (*PERSONAL, reference) if value in said] == []


def test_the_database_holds_no_personal_value_in_the_clear(intake: Intake) -> None:
    reference = a_full_life(intake)
    rows = [row for table in intake.stored().values() for row in table]
    values = [value for row in rows for value in row]
    clear = " ".join(value.decode("latin-1") if isinstance(value, bytes) else str(value) for value in values)
    assert reference in clear, "the search itself must find something"
    assert [value for value in PERSONAL if value in clear] == []


# Taking a request back


def test_whoever_knows_reference_and_passphrase_takes_the_request_back(intake: Intake) -> None:
    referral_id, reference = intake.ask_for_help()
    intake.withdraw(f" {reference.lower().replace('-', ' ')} ", PASSPHRASE.upper())
    withdrawn = ReferralWithdrawn(referral_id=referral_id, reason=WithdrawalReason.CLIENT_ASKED)
    assert intake.emitted(ReferralWithdrawn) == [withdrawn]
    assert (intake.state(reference), intake.refusals()) == ("withdrawn", [])


def test_a_wrong_passphrase_takes_nothing_back(intake: Intake) -> None:
    _, reference = intake.ask_for_help()
    intake.withdraw(reference, "harbour lantern")
    assert (intake.state(reference), intake.refusals()) == ("received", [RefusalReason.NOT_RECOGNISED])


def test_a_refused_withdrawal_is_answered_to_the_submission_that_asked_for_it(intake: Intake) -> None:
    event = withdrawal("not sealed")
    intake.hear(requests.withdraw_request, event)
    assert intake.all_emitted == [HelpRequestRefused(submission_id=event.submission_id, reason=RefusalReason.UNSEALED)]


def test_a_withdrawal_of_another_shape_is_malformed(intake: Intake) -> None:
    intake.hear(requests.withdraw_request, withdrawal(intake.web.seal("intake", Aspects())))
    assert intake.refusals() == [RefusalReason.MALFORMED]


def test_a_mistyped_reference_is_not_waited_for(intake: Intake) -> None:
    intake.withdraw("no reference")
    assert intake.refusals() == [RefusalReason.NOT_RECOGNISED]


def test_wrong_withdrawals_lock_the_referral_too(intake: Intake) -> None:
    _, reference = intake.ask_for_help()
    for _ in range(5):
        intake.withdraw(reference, "harbour lantern")
    intake.withdraw(reference)
    assert intake.refusals() == [RefusalReason.NOT_RECOGNISED] * 6
    intake.clock.advance(timedelta(minutes=15))
    intake.withdraw(reference)
    assert intake.state(reference) == "withdrawn"


@pytest.mark.parametrize("minutes", [0, 9.99])
def test_a_withdrawal_waits_for_a_request_that_may_be_under_way(intake: Intake, minutes: float) -> None:
    with pytest.raises(NotYet):
        intake.withdraw(UNKNOWN_REFERENCE, sent_ago=timedelta(minutes=minutes))
    assert intake.all_emitted == []


def test_a_withdrawal_waits_ten_minutes_and_no_longer(intake: Intake) -> None:
    intake.withdraw(UNKNOWN_REFERENCE, sent_ago=timedelta(minutes=10))
    assert intake.refusals() == [RefusalReason.NOT_RECOGNISED]


def test_a_withdrawal_that_waited_still_withdraws(intake: Intake) -> None:
    _, reference = intake.ask_for_help()
    intake.withdraw(reference, sent_ago=timedelta(hours=3))
    assert intake.state(reference) == "withdrawn"


def test_taking_a_request_back_twice_is_said_once(intake: Intake) -> None:
    _, reference = intake.ask_for_help()
    intake.withdraw(reference)
    intake.withdraw(reference)
    assert (len(intake.emitted(ReferralWithdrawn)), intake.refusals()) == (1, [])


def test_there_is_nothing_to_take_back_of_what_is_closed(intake: Intake) -> None:
    referral_id, reference = intake.ask_and_assess()
    intake.end_match(intake.match(referral_id), MatchEndReason.COMPLETED)
    before = intake.all_emitted
    intake.withdraw(reference)
    assert (intake.state(reference), intake.all_emitted) == ("closed", before)


# Therapy


def test_a_match_introduces_the_client_to_that_therapist(intake: Intake) -> None:
    referral_id, reference = intake.ask_and_assess()
    match = intake.match(referral_id)
    ((therapist_id, contact),) = intake.released(ContactPurpose.INTRODUCTION)
    assert therapist_id == match.therapist_id
    assert (contact.referral_id, contact.reference) == (referral_id, reference)
    assert (contact.name, contact.contact) == ("Robin Example", EMAIL)
    assert intake.state(reference) == "matched"


def test_without_consent_nobody_is_introduced(intake: Intake) -> None:
    referral_id, reference = intake.ask_and_assess(consents=consents(pass_to_therapist=False))
    intake.match(referral_id)
    assert intake.released(ContactPurpose.INTRODUCTION) == []
    assert intake.state(reference) == "matched"


def test_after_a_withdrawal_nobody_is_introduced(intake: Intake) -> None:
    referral_id, reference = intake.ask_for_help()
    intake.withdraw(reference)
    intake.match(referral_id)
    assert intake.released(ContactPurpose.INTRODUCTION) == []
    assert intake.state(reference) == "withdrawn"


@pytest.mark.parametrize(
    ("reason", "closed"),
    [
        (MatchEndReason.COMPLETED, ClosureReason.THERAPY_ENDED),
        (MatchEndReason.NOT_ATTENDED, ClosureReason.NOT_ATTENDED),
    ],
)
def test_the_end_of_therapy_closes_the_referral(intake: Intake, reason: MatchEndReason, closed: ClosureReason) -> None:
    referral_id, reference = intake.ask_and_assess()
    intake.end_match(intake.match(referral_id), reason)
    assert intake.emitted(ReferralClosed) == [ReferralClosed(referral_id=referral_id, reason=closed)]
    assert intake.state(reference) == "closed"


def test_an_unhappy_client_is_introduced_to_another_therapist(intake: Intake) -> None:
    referral_id, reference = intake.ask_and_assess()
    first = intake.match(referral_id)
    intake.end_match(first, MatchEndReason.CLIENT_UNHAPPY)
    assert (intake.state(reference), intake.emitted(ReferralClosed)) == ("matching", [])
    second = intake.match(referral_id)
    introduced = [therapist_id for therapist_id, _ in intake.released(ContactPurpose.INTRODUCTION)]
    assert introduced == [first.therapist_id, second.therapist_id]


def test_a_match_that_ended_before_it_arrived_introduces_nobody(intake: Intake) -> None:
    referral_id, reference = intake.ask_and_assess()
    match = matched(referral_id)
    intake.end_match(match, MatchEndReason.CLIENT_UNHAPPY, sequence=2)
    intake.hear(events.note_match, match, sequence=1)
    assert intake.released(ContactPurpose.INTRODUCTION) == []
    assert intake.state(reference) == "matching"
    intake.match(referral_id, sequence=3)
    assert (intake.state(reference), len(intake.released(ContactPurpose.INTRODUCTION))) == ("matched", 1)


def test_an_end_that_overtakes_its_match_closes_once(intake: Intake) -> None:
    referral_id, reference = intake.ask_and_assess()
    match = matched(referral_id)
    intake.end_match(match, MatchEndReason.COMPLETED, sequence=2)
    intake.hear(events.note_match, match, sequence=1)
    assert (intake.state(reference), len(intake.emitted(ReferralClosed))) == ("closed", 1)


def test_the_end_of_a_withdrawn_clients_match_closes_nothing(intake: Intake) -> None:
    referral_id, reference = intake.ask_and_assess()
    match = intake.match(referral_id)
    intake.withdraw(reference)
    intake.end_match(match, MatchEndReason.WITHDRAWN)
    assert (intake.state(reference), intake.emitted(ReferralClosed)) == ("withdrawn", [])


# Safeguarding


@pytest.mark.parametrize("state", ["received", "withdrawn"])
def test_an_answer_about_suicide_raises_an_urgent_concern_whatever_the_state(intake: Intake, state: str) -> None:
    referral_id, reference = intake.ask_for_help()
    if state == "withdrawn":
        intake.withdraw(reference)
    intake.flag_risk(referral_id)
    assert intake.raised() == [(Severity.URGENT, ConcernCategory.RISK_TO_SELF)]
    assert [one.raised_by for one in intake.concerns(referral_id)] == ["rule"]


def test_an_acknowledgement_is_recorded_and_the_first_one_stands(intake: Intake) -> None:
    referral_id, reference = intake.ask_for_help(identifiable_person_at_risk=True)
    (before,) = intake.find(reference).concerns
    intake.acknowledge(ConcernId(before.concern_id), referral_id)
    intake.clock.advance(timedelta(minutes=5))
    intake.acknowledge(ConcernId(before.concern_id), referral_id)
    (after,) = intake.find(reference).concerns
    assert (before.acknowledged_at, after.acknowledged_at) == (None, MONDAY_10)


# Order and repetition

UNKNOWN = ReferralId(new_id())
EARLY: dict[str, tuple[EventHandler, Event]] = {
    "a match": (events.note_match, matched(UNKNOWN)),
    "the end of a match": (events.note_match_ended, ended(matched(UNKNOWN), MatchEndReason.COMPLETED)),
    "an answer about suicide": (safeguarding.note_risk_answer, risk_flagged(UNKNOWN)),
    "an acknowledgement": (
        safeguarding.note_acknowledgement,
        acknowledged(ConcernId(new_id()), UNKNOWN, at=MONDAY_10),
    ),
}


@pytest.mark.parametrize("what", EARLY)
def test_what_comes_before_the_fact_it_builds_on_waits(intake: Intake, what: str) -> None:
    with pytest.raises(NotYet):
        intake.hear(*EARLY[what])
    assert intake.all_emitted == []


def test_a_message_that_is_delivered_twice_takes_effect_once(intake: Intake) -> None:
    request = intake.requested(identifiable_person_at_risk=True)
    twice(intake, request)
    referral = intake.find(reference_for(request.submission_id))
    referral_id, concern_id = ReferralId(referral.referral_id), ConcernId(referral.concerns[0].concern_id)
    credentials = Credentials(reference=referral.reference, passphrase=PASSPHRASE)
    wrong = Credentials(reference=referral.reference, passphrase="wrong")
    intake.assess(referral_id)
    first = matched(referral_id)
    for sequence, event in enumerate(
        [
            acknowledged(concern_id, referral_id, at=MONDAY_10),
            first,
            ended(first, MatchEndReason.CLIENT_UNHAPPY),
            matched(referral_id),
            risk_flagged(referral_id),
            withdrawal(intake.web.seal("intake", wrong)),
            withdrawal(intake.web.seal("intake", credentials)),
        ],
        start=1,
    ):
        twice(intake, event, sequence)
    assert intake.state(referral.reference) == "withdrawn"


def twice(intake: Intake, event: Event, sequence: int = 1) -> None:
    """Delivers a message, and delivers it again in another batch."""
    once, delivery = intake.stored(), message(event, sequence)
    intake.deliver(delivery)
    after = intake.stored()
    intake.deliver(delivery)
    assert once != after == intake.stored()


def test_the_same_end_said_in_another_message_changes_nothing(intake: Intake) -> None:
    referral_id, reference = intake.ask_and_assess()
    match = intake.match(referral_id)
    for _ in range(2):
        intake.end_match(match, MatchEndReason.COMPLETED)
    assert (intake.state(reference), len(intake.emitted(ReferralClosed))) == ("closed", 1)
