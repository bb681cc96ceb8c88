"""What a person is told of what notifications holds, and what is not told of worries about somebody's safety."""

from __future__ import annotations

import pytest

from chassis.audit.chain import AuditAction
from chassis.audit.store import entries
from chassis.ids import new_id
from chassis.privacy.ephemeral_key import OneTimeKey
from chassis.subject_access import telling
from contracts.commands.notifications import AcknowledgeAlert, RecordOutcome
from contracts.commands.subject import ExportReason, GetSubjectData, Holding, ReadOutcomes, Topic
from contracts.events.intake import AgreementAwaited, AnotherTherapistWanted, SafeguardingConcernRaised
from contracts.sealed import OutcomeReason
from contracts.vocabulary import (
    ConcernCategory,
    ConcernId,
    ConcernOutcome,
    ContactChangeStage,
    HoldReason,
    MatchId,
    ReferralId,
    Severity,
    TherapistId,
)
from services.notifications import errors, subject_access
from services.notifications.handlers import alerts, commands, introductions, office_messages
from tests.unit.notifications import facts
from tests.unit.notifications.conftest import MONDAY_10, TELEPHONE, THERAPIST_NAME, Desk
from tests.unit.notifications.test_contact_changes import NEW_EMAIL, tell

Told = dict[Topic, list[dict[str, str]]]


def told(desk: Desk, referral_id: ReferralId) -> Told:
    key = OneTimeKey()
    asked = GetSubjectData(referral_id=referral_id, reason=ExportReason.CLIENT_ASKED, seal_to=key.public)
    held = key.open(Holding, desk.bench.ask(telling(subject_access.tell), asked).sealed)
    return {section.topic: [entry.told() for entry in section.entries] for section in held.sections}


def worry(desk: Desk, referral_id: ReferralId) -> ConcernId:
    raised = SafeguardingConcernRaised(
        concern_id=ConcernId(new_id()),
        referral_id=referral_id,
        severity=Severity.URGENT,
        category=ConcernCategory.RISK_TO_SELF,
        raised_at=MONDAY_10,
    )
    desk.bench.hear(alerts.raise_alert, raised)
    desk.run()
    return raised.concern_id


def decide(desk: Desk, concern_id: ConcernId, outcome: ConcernOutcome) -> None:
    desk.bench.ask(commands.acknowledge_alert, AcknowledgeAlert(concern_id=concern_id))
    reason = desk.keyring.seal("notifications", OutcomeReason(words="because of the tide"))
    request = RecordOutcome(concern_id=concern_id, outcome=outcome, reason=reason)
    desk.bench.ask(commands.record_outcome, request)


def audited(desk: Desk, referral_id: ReferralId) -> list[tuple[str, str]]:
    with desk.bench.database.reading() as unit:
        found = entries(unit.session.connection(), unit.tables.audit_entry, referral_id)
        return [(one["what"], one["who"]) for one in found]


def test_how_they_are_reached_and_what_was_sent_is_told(
    desk: Desk, referral_id: ReferralId, therapist_id: TherapistId
) -> None:
    desk.admit(therapist_id)
    desk.release(referral_id, TELEPHONE)
    desk.release(referral_id, TELEPHONE, to=therapist_id)
    desk.bench.hear(introductions.note_match, facts.matched(referral_id, therapist_id))
    desk.run()
    found = told(desk, referral_id)
    assert found[Topic.CONTACT][0]["Telephone"] == TELEPHONE.telephone
    assert [one["Introduced to"] for one in found[Topic.MATCHES]] == [THERAPIST_NAME]
    assert {"You", "A therapist"} == {one["To"] for one in found[Topic.MESSAGES]}
    assert ("exported", "console:somebody") in audited(desk, referral_id)


def test_a_contact_that_they_changed_themselves_and_what_they_asked_for_is_told(
    desk: Desk, referral_id: ReferralId
) -> None:
    desk.release(referral_id, TELEPHONE)
    tell(desk, referral_id, ContactChangeStage.CODE_WANTED, NEW_EMAIL, code="012345")
    tell(desk, referral_id, ContactChangeStage.CHANGED, NEW_EMAIL)
    agreement = AgreementAwaited(referral_id=referral_id, reason=HoldReason.CONSENT_TO_PASS_ON)
    desk.bench.hear(office_messages.ask_for_agreement, agreement)
    wish = AnotherTherapistWanted(referral_id=referral_id, match_id=MatchId(new_id()))
    desk.bench.hear(office_messages.notify_office_of_change_of_therapist, wish)
    desk.run()
    about = {one["About"] for one in told(desk, referral_id)[Topic.MESSAGES]}
    assert about >= {"That you would like to see somebody else", "We reach you in another way from now on"}


def test_a_worry_is_told_of_only_when_each_came_to_nothing(desk: Desk, referral_id: ReferralId) -> None:
    first, second = worry(desk, referral_id), worry(desk, referral_id)
    for open_now in (lambda: None, lambda: decide(desk, first, ConcernOutcome.NO_FURTHER_ACTION)):
        open_now()
        found = told(desk, referral_id)
        assert not {Topic.CONCERNS, Topic.MESSAGES} & set(found)
    decide(desk, second, ConcernOutcome.NO_FURTHER_ACTION)
    found = told(desk, referral_id)
    assert len(found[Topic.CONCERNS]) == 2
    assert "tide" not in repr(found)
    decide(desk, second, ConcernOutcome.POLICE)
    assert Topic.CONCERNS not in told(desk, referral_id), "it was taken up again"


def test_an_export_is_the_same_with_an_open_worry_and_without(desk: Desk, referral_id: ReferralId) -> None:
    other = ReferralId(new_id())
    desk.release(referral_id, TELEPHONE)
    desk.release(other, TELEPHONE)
    worry(desk, other)
    desk.run()
    assert repr(told(desk, other)) == repr(told(desk, referral_id))


def test_the_reason_of_a_decision_is_read_on_record_and_the_client_is_not_told_of_it(
    desk: Desk, referral_id: ReferralId
) -> None:
    concern_id, key = worry(desk, referral_id), OneTimeKey()
    decide(desk, concern_id, ConcernOutcome.POLICE)
    asked = ReadOutcomes(concern_id=concern_id, seal_to=key.public)
    held = key.open(Holding, desk.bench.ask(subject_access.read_outcomes, asked).sealed)
    _, decided = held.sections[0].entries
    assert decided.told()["Why"] == "because of the tide"
    assert audited(desk, referral_id) == [(AuditAction.READ.value, "console:somebody")]
    desk.release(referral_id, TELEPHONE)
    assert "console:somebody" not in repr(told(desk, referral_id)[Topic.RECORD])


def test_a_concern_that_nobody_raised_is_unknown(desk: Desk) -> None:
    asked = ReadOutcomes(concern_id=ConcernId(new_id()), seal_to=OneTimeKey().public)
    with pytest.raises(errors.UnknownAlert):
        desk.bench.ask(subject_access.read_outcomes, asked)


def test_where_nothing_is_held_nothing_goes_on_record(desk: Desk, referral_id: ReferralId) -> None:
    assert told(desk, referral_id) == {}
    assert audited(desk, referral_id) == []
