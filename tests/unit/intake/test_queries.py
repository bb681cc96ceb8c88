"""What a person's screen is told by intake, and what it can have intake do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest
from sqlalchemy import select

from chassis.ids import new_id
from contracts.commands.intake import (
    CountReferrals,
    Done,
    FindReferral,
    GetStatus,
    RaiseConcern,
    Signpost,
    StateCount,
    StatusAnswer,
    Withdraw,
)
from contracts.events.intake import ReferralAssessed, ReferralSignposted, ReferralWithdrawn, SafeguardingConcernRaised
from contracts.reference import reference_for
from contracts.sealed import Aspects
from contracts.vocabulary import (
    ClientGroup,
    Competence,
    ConcernCategory,
    MatchEndReason,
    PersonId,
    ReferralId,
    RiskLevel,
    Severity,
    Sex,
    SignpostReason,
    SubmissionId,
    WithdrawalReason,
    Work,
)
from services.intake import errors
from services.intake.application import status
from services.intake.domain.passphrases import digest_of_passphrase
from services.intake.domain.referral import StepNotPossible
from services.intake.domain.states import State
from services.intake.handlers import lifecycle, queries, safeguarding
from services.intake.store import tables
from tests.support.samples import PASSPHRASE
from tests.support.statements import listening
from tests.unit.intake.conftest import MONDAY_10, Intake

UNKNOWN_REFERENCE = reference_for(SubmissionId(new_id()))


def signpost(intake: Intake, referral_id: ReferralId) -> None:
    request = Signpost(referral_id=referral_id, reason=SignpostReason.OUT_OF_SCOPE)
    intake.ask(lifecycle.signpost, request)


def withdraw(intake: Intake, referral_id: ReferralId) -> Done:
    request = Withdraw(referral_id=referral_id, reason=WithdrawalReason.PROFESSIONAL_ASKED)
    done: Done = intake.ask(lifecycle.withdraw, request)
    return done


def raise_concern(intake: Intake, referral_id: ReferralId) -> None:
    request = RaiseConcern(
        referral_id=referral_id,
        severity=Severity.URGENT,
        category=ConcernCategory.ADULT_AT_RISK,
    )
    intake.ask(safeguarding.raise_concern, request)


# Where does my request stand?


def test_a_client_is_told_where_their_request_stands(intake: Intake) -> None:
    referral_id, reference = intake.ask_for_help()
    told = [intake.status(reference)]
    intake.assess(referral_id)
    told.append(intake.status(reference))
    match = intake.match(referral_id)
    told.append(intake.status(reference))
    intake.end_match(match, MatchEndReason.COMPLETED)
    told.append(intake.status(reference))
    assert [answer.standing for answer in told] == ["received", "assessed", "matched", "closed"]
    assert [answer.words for answer in told] == [status.WORDS[State(str(answer.standing))] for answer in told]
    assert all(answer.recognised for answer in told)


def test_a_client_is_told_of_the_other_ends_too(intake: Intake) -> None:
    (signposted, first), (withdrawn, second) = intake.ask_for_help(), intake.ask_for_help()
    signpost(intake, signposted)
    withdraw(intake, withdrawn)
    assert [intake.status(one).standing for one in (first, second)] == ["signposted", "withdrawn"]


TELLING = (
    "abuse", "assess", "charity", "child", "client", "counsel", "leeward", "offen", "police", "refer", "risk",
    "sex", "therap", "thought", "treat",
)  # fmt: skip


@pytest.mark.parametrize("state", State)
def test_the_words_say_nothing_of_the_kind_of_help(state: State) -> None:
    assert [word for word in TELLING if word in status.WORDS[state].lower()] == []


def test_reference_and_passphrase_may_be_typed_as_people_type(intake: Intake) -> None:
    _, reference = intake.ask_for_help()
    assert intake.status(f" {reference.lower().replace('-', ' ')}", " HARBOUR lantern  quiet meadow ").recognised


def test_who_is_not_recognised_never_learns_which_part_was_wrong(intake: Intake) -> None:
    _, reference = intake.ask_for_help()
    other = intake.ask_for_help(passphrase="another passphrase").reference
    answers = [
        intake.status(reference, "wrong passphrase"),
        intake.status(other),
        intake.status(UNKNOWN_REFERENCE),
        intake.status("no reference"),
        intake.status("", ""),
    ]
    assert answers == [StatusAnswer(recognised=False)] * len(answers)


def test_a_locked_referral_answers_like_an_unknown_one(intake: Intake) -> None:
    _, reference = intake.ask_for_help()
    for _ in range(5):
        intake.status(reference, "wrong passphrase")
    assert intake.status(reference) == StatusAnswer(recognised=False)
    intake.clock.advance(timedelta(minutes=15))
    assert intake.status(reference).recognised


def work(intake: Intake, reference: str, passphrase: str = "wrong passphrase") -> list[str]:
    """The statements of one question, without their values and the tables that they are about."""
    with listening(intake.database.engine) as asked:
        assert intake.status(reference, passphrase) == StatusAnswer(recognised=False)
    return [statement.split()[0] for statement in asked]


def test_whoever_is_not_recognised_has_caused_the_same_work_whatever_was_wrong_and_however_often_they_ask(
    intake: Intake,
) -> None:
    _, reference = intake.ask_for_help()
    intake.status(UNKNOWN_REFERENCE)  # the first question of all makes the decoy
    intake.status("no reference")
    for _ in range(20):  # before, while and after either is locked
        known = work(intake, reference)
        assert known == work(intake, UNKNOWN_REFERENCE) == work(intake, "no reference")
        assert (known.count("SELECT"), known.count("UPDATE")) == (2, 1)
        intake.clock.advance(timedelta(minutes=2))


def test_a_locked_referral_causes_the_same_work_for_the_right_words(intake: Intake) -> None:
    _, reference = intake.ask_for_help()
    for _ in range(5):
        intake.status(reference, "wrong passphrase")
    assert work(intake, reference, PASSPHRASE) == work(intake, reference)


def test_the_same_digest_is_made_for_a_reference_that_nobody_has(intake: Intake) -> None:
    _, reference = intake.ask_for_help()
    with patch("services.intake.domain.passphrases.digest_of_passphrase", wraps=digest_of_passphrase) as made:
        for asked in (reference, UNKNOWN_REFERENCE, "no reference"):
            intake.status(asked, "wrong passphrase")
    assert made.call_count == 3


def test_no_passphrase_opens_a_decoy(intake: Intake) -> None:
    for passphrase in (PASSPHRASE, ""):
        assert not intake.status(UNKNOWN_REFERENCE, passphrase).recognised


def test_a_question_that_is_not_sealed_is_not_answered(intake: Intake) -> None:
    with pytest.raises(errors.NotSealedToIntake):
        intake.ask(queries.get_status, GetStatus(sealed="9C28-SAU2-5"))


# What waits


def test_the_longest_waiting_come_first_and_only_those_who_wait(intake: Intake) -> None:
    waiting = []
    for minute in range(3):
        waiting.append(intake.ask_for_help().reference)
        intake.clock.advance(timedelta(minutes=minute + 1))
    done = intake.ask_for_help()
    intake.assess(done.referral_id)
    assert [one.reference for one in intake.awaiting()] == waiting
    assert [one.reference for one in intake.awaiting(limit=2)] == waiting[:2]


def test_a_request_is_overdue_after_two_working_days(intake: Intake) -> None:
    intake.ask_for_help()
    (one,) = intake.awaiting()
    assert (one.received_at, one.assess_by) == (MONDAY_10, MONDAY_10 + timedelta(days=2))
    assert (one.client_group, one.overdue) == (ClientGroup.AT_RISK, False)
    intake.clock.advance(timedelta(days=2))
    assert [one.overdue for one in intake.awaiting()] == [False]
    intake.clock.advance(timedelta(seconds=1))
    assert [one.overdue for one in intake.awaiting()] == [True]


def test_a_weekend_does_not_count(intake: Intake) -> None:
    intake.clock.advance(timedelta(days=4))  # Friday
    intake.ask_for_help()
    (one,) = intake.awaiting()
    assert one.assess_by == datetime(2026, 12, 1, 10, 0, tzinfo=UTC)


# Assessing


def test_an_assessment_says_what_is_needed_and_what_the_client_prefers(intake: Intake) -> None:
    referral_id, reference = intake.ask_for_help(therapist_sex=Sex.FEMALE, wheelchair_access=True)
    intake.clock.advance(timedelta(hours=3))
    intake.assess(referral_id, risk_level=RiskLevel.HIGHER, competence=Competence.HIGHER, work=Work.COUPLE)
    assert intake.emitted(ReferralAssessed) == [
        ReferralAssessed(
            referral_id=referral_id,
            assessed_at=MONDAY_10 + timedelta(hours=3),
            risk_level=RiskLevel.HIGHER,
            competence=Competence.HIGHER,
            work=Work.COUPLE,
            therapist_sex=Sex.FEMALE,
            wheelchair_access=True,
            person_id=PersonId(referral_id),
        )
    ]
    assert (intake.state(reference), intake.raised()) == ("assessed", [])


def test_a_client_without_preferences_has_none_in_the_assessment(intake: Intake) -> None:
    intake.assess(intake.ask_for_help().referral_id)
    (assessed,) = intake.emitted(ReferralAssessed)
    assert (assessed.therapist_sex, assessed.wheelchair_access) == (None, False)


def test_the_aspects_are_kept_encrypted_under_the_clients_own_key(intake: Intake) -> None:
    referral_id, _ = intake.ask_for_help()
    aspects = Aspects(risk="Low at present.", social="Lives alone.")
    intake.assess(referral_id, aspects=intake.web.seal("intake", aspects))
    (row,) = intake.read(lambda unit: unit.session.execute(select(tables.assessments)).all())
    assert (row.referral_id, row.assessor, row.assessed_at) == (referral_id, "console:somebody", MONDAY_10)
    assert b"alone" not in row.content
    vault = intake.dependencies.vault
    assert intake.read(lambda unit: vault.decrypt(unit.session, referral_id, Aspects, row.content)) == aspects


def test_a_referral_is_assessed_once(intake: Intake) -> None:
    referral_id, reference = intake.ask_for_help()
    intake.assess(referral_id)
    with pytest.raises(StepNotPossible, match=f"{reference} is assessed, .* Possible now: find place, hold, record"):
        intake.assess(referral_id)
    assert len(intake.emitted(ReferralAssessed)) == 1


def test_a_withdrawn_referral_is_not_assessed(intake: Intake) -> None:
    referral_id, reference = intake.ask_for_help()
    intake.withdraw(reference)
    with pytest.raises(StepNotPossible, match="is withdrawn, which doesn't allow"):
        intake.assess(referral_id)


@pytest.mark.parametrize("sealed_to", [None, "notifications"])
def test_aspects_that_intake_cannot_open_are_refused_and_nothing_is_assessed(
    intake: Intake, sealed_to: str | None
) -> None:
    referral_id, reference = intake.ask_for_help()
    aspects = Aspects(risk="Low at present.")
    content = intake.web.seal(sealed_to, aspects) if sealed_to else "Low at present."
    with pytest.raises(errors.NotSealedToIntake, match="intake's newest public key"):
        intake.assess(referral_id, aspects=content, person_at_risk=ConcernCategory.CHILD_AT_RISK)
    assert (intake.state(reference), intake.emitted(ReferralAssessed), intake.raised()) == ("received", [], [])


def test_a_person_at_risk_in_an_assessment_raises_an_immediate_concern(intake: Intake) -> None:
    referral_id, _ = intake.ask_for_help()
    intake.assess(referral_id, person_at_risk=ConcernCategory.ADULT_AT_RISK)
    assert intake.raised() == [(Severity.IMMEDIATE, ConcernCategory.ADULT_AT_RISK)]
    assert [one.raised_by for one in intake.concerns(referral_id)] == ["console:somebody"]


# Other steps


def test_a_referral_that_fits_another_service_is_signposted(intake: Intake) -> None:
    referral_id, reference = intake.ask_for_help()
    signpost(intake, referral_id)
    signposted = ReferralSignposted(referral_id=referral_id, reason=SignpostReason.OUT_OF_SCOPE)
    assert intake.emitted(ReferralSignposted) == [signposted]
    assert (intake.state(reference), intake.awaiting()) == ("signposted", [])


def test_an_assessed_referral_is_not_signposted(intake: Intake) -> None:
    referral_id, reference = intake.ask_for_help()
    intake.assess(referral_id)
    with pytest.raises(StepNotPossible, match="is assessed, which doesn't allow"):
        signpost(intake, referral_id)
    assert (intake.state(reference), intake.emitted(ReferralSignposted)) == ("assessed", [])


def test_a_person_of_the_charity_withdraws_once(intake: Intake) -> None:
    referral_id, reference = intake.ask_for_help()
    assert [withdraw(intake, referral_id).changed, withdraw(intake, referral_id).changed] == [True, False]
    final_at = MONDAY_10 + timedelta(days=7)
    withdrawn = ReferralWithdrawn(
        referral_id=referral_id, reason=WithdrawalReason.PROFESSIONAL_ASKED, final_at=final_at
    )
    assert intake.emitted(ReferralWithdrawn) == [withdrawn]
    assert intake.state(reference) == "withdrawn"


def test_a_signposted_referral_is_not_withdrawn(intake: Intake) -> None:
    referral_id, _ = intake.ask_for_help()
    signpost(intake, referral_id)
    with pytest.raises(StepNotPossible, match="is signposted, which doesn't allow"):
        withdraw(intake, referral_id)


def test_a_person_of_the_charity_raises_a_concern_in_their_name(intake: Intake) -> None:
    referral_id, reference = intake.ask_for_help()
    raise_concern(intake, referral_id)
    (raised,) = intake.emitted(SafeguardingConcernRaised)
    assert (raised.referral_id, raised.raised_at) == (referral_id, MONDAY_10)
    assert (raised.severity, raised.category) == (Severity.URGENT, ConcernCategory.ADULT_AT_RISK)
    assert [one.raised_by for one in intake.concerns(referral_id)] == ["console:somebody"]
    (shown,) = intake.find(reference).concerns
    assert (shown.concern_id, shown.severity, shown.acknowledged_at) == (raised.concern_id, Severity.URGENT, None)


STEPS: dict[str, Any] = {
    "assess": lambda intake, referral_id: intake.assess(referral_id),
    "signpost": signpost,
    "withdraw": withdraw,
    "raise a concern": raise_concern,
}


@pytest.mark.parametrize("step", STEPS)
def test_an_unknown_referral_is_said_to_be_unknown(intake: Intake, step: str) -> None:
    with pytest.raises(errors.UnknownReferral, match="no such referral"):
        STEPS[step](intake, ReferralId(new_id()))
    assert intake.all_emitted == []


# Finding and counting


@pytest.mark.parametrize("typed", ["{}", " {} ", "lower", "plain", "spaced", "en dash"])
def test_a_referral_is_found_by_its_reference_as_a_person_types_it(intake: Intake, typed: str) -> None:
    referral_id, reference = intake.ask_for_help(client_group=ClientGroup.FAMILY)
    forms = {
        "lower": reference.lower(),
        "plain": reference.replace("-", ""),
        "spaced": " ".join(reference),
        "en dash": reference.replace("-", "\u2013"),
    }
    found = intake.find(forms.get(typed, typed).format(reference))
    assert (found.referral_id, found.reference, found.state) == (referral_id, reference, "received")
    assert (found.client_group, found.received_at, found.concerns) == (ClientGroup.FAMILY, MONDAY_10, ())


@pytest.mark.parametrize("typed", [UNKNOWN_REFERENCE, "no reference", ""], ids=["unknown", "words", "nothing"])
def test_a_reference_that_nobody_has_is_not_found(intake: Intake, typed: str) -> None:
    with pytest.raises(errors.UnknownReferral, match="Please check it"):
        intake.ask(queries.find_referral, FindReferral(reference=typed))


def test_referrals_are_counted_by_state(intake: Intake) -> None:
    assert intake.ask(queries.count_referrals, CountReferrals()) == []
    for _ in range(2):
        intake.ask_for_help()
    withdraw(intake, intake.ask_for_help().referral_id)
    counted = [StateCount(state="received", referrals=2), StateCount(state="withdrawn", referrals=1)]
    assert intake.ask(queries.count_referrals, CountReferrals()) == counted
