"""How long what is held about somebody is kept, over years of the chassis's clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from contracts.commands.duplicates import Merge, Unmerge
from contracts.commands.intake import (
    RaiseConcern,
    ReRefer,
    ReReferred,
    SignOff,
    Signpost,
)
from contracts.commands.privacy import Erase, ErasureReason, HoldReason, LiftHold, LiftReason, PlaceHold
from contracts.commands.retention import ApplyRetention, GetRetention, ListApplied, ListDue, RetentionView
from contracts.events.billing import FirstSessionAttended
from contracts.events.intake import ReferralErased, ReferralWithdrawn
from contracts.events.matching import TherapistMatched
from contracts.vocabulary import (
    ClientGroup,
    ConcernCategory,
    MatchEndReason,
    MergeReason,
    ReReferralReason,
    Severity,
    SignpostReason,
    UnmergeReason,
    WithdrawalReason,
)
from services.intake import errors
from services.intake.application import referral_erasure, registration
from services.intake.domain.retention import months_after
from services.intake.gateways.assessment_policy import InvalidPolicy
from services.intake.gateways.retention_policy import RETENTION, read_retention_policy
from services.intake.handlers import (
    assessment,
    duplicates,
    erasure,
    events,
    legal_holds,
    lifecycle,
    retention,
    safeguarding,
)
from services.intake.store import tables
from services.intake.store.retention import RETENTION_DUE
from tests.unit.intake.conftest import Asked, Intake

SAM = "console:somebody"
TIMERS = {
    RETENTION_DUE: retention.erase_when_due,
    referral_erasure.ERASURE_UNCONFIRMED: lambda unit, timer: None,
    registration.ASSESSMENT_OVERDUE: assessment.report_overdue,
}
YEAR = timedelta(days=366)
DAY = timedelta(days=1)


@pytest.fixture
def intake(intake_on_each_store: Intake) -> Intake:
    return intake_on_each_store


def pass_time(intake: Intake, by: timedelta) -> None:
    """Every timer fires that comes due meanwhile, also those that another has set."""
    intake.clock.advance(by)
    while intake.fire_due(TIMERS):
        pass


def shown(intake: Intake, reference: str) -> RetentionView:
    view: RetentionView = intake.ask(retention.get_retention, GetRetention(reference=reference))
    return view


def due_within(intake: Intake, while_: timedelta) -> list[str]:
    found: list[RetentionView] = intake.ask(retention.list_due, ListDue(before=intake.clock.now() + while_))
    return [view.reference for view in found]


def held(intake: Intake, *asked: Asked) -> list[bool]:
    """Whether each is still there to be read."""
    rows = intake.read(lambda unit: unit.session.execute(select(tables.personal_records.c.referral_id)).scalars().all())
    return [one.referral_id in rows for one in asked]


def hold(intake: Intake, asked: Asked) -> None:
    request = PlaceHold(reference=asked.reference, reason=HoldReason.COURT_ORDER)
    intake.ask(legal_holds.place_legal_hold, request)


def lift(intake: Intake, asked: Asked) -> None:
    intake.ask(legal_holds.lift_legal_hold, LiftHold(reference=asked.reference, reason=LiftReason.MATTER_CLOSED))


def attend(intake: Intake, match: TherapistMatched) -> None:
    began = FirstSessionAttended(
        match_id=match.match_id,
        referral_id=match.referral_id,
        therapist_id=match.therapist_id,
        attended_on=intake.clock.now().date(),
    )
    intake.hear(events.note_first_session, began)


def re_refer(intake: Intake, asked: Asked) -> Asked:
    request = ReRefer(referral_id=asked.referral_id, reason=ReReferralReason.CLIENT_ASKED)
    answer: ReReferred = intake.ask(lifecycle.re_refer, request)
    return Asked(answer.referral_id, answer.reference)


def merge(intake: Intake, one: Asked, into: Asked) -> None:
    intake.ask(
        duplicates.merge,
        Merge(referral_id=one.referral_id, into_referral_id=into.referral_id, reason=MergeReason.SENT_TWICE),
    )


def unmerge(intake: Intake, one: Asked) -> None:
    request = Unmerge(referral_id=one.referral_id, reason=UnmergeReason.DIFFERENT_PEOPLE)
    intake.ask(duplicates.unmerge, request)


# How long


@pytest.mark.parametrize(
    ("group", "years"), [(ClientGroup.AT_RISK, 7), (ClientGroup.OFFENDED, 10), (ClientGroup.YOUNG_PERSON, 20)]
)
def test_after_therapy_it_depends_on_whom_it_is_about(intake: Intake, group: ClientGroup, years: int) -> None:
    asked = intake.ask_for_help(client_group=group)
    intake.ask(lifecycle.sign_off, SignOff(referral_id=asked.referral_id))
    intake.assess(asked.referral_id)
    for concern in intake.concerns(asked.referral_id):
        intake.acknowledge(concern.id, asked.referral_id)
    match = intake.match(asked.referral_id)
    attend(intake, match)
    pass_time(intake, 30 * DAY)
    intake.end_match(match, MatchEndReason.COMPLETED)
    ended = intake.clock.now()
    view = shown(intake, asked.reference)
    assert (view.state, view.outcome) == ("closed", "therapy")
    assert view.due_at == months_after(ended, 12 * years)
    pass_time(intake, view.due_at - intake.clock.now() - DAY)
    assert held(intake, asked) == [True]
    pass_time(intake, DAY)
    assert held(intake, asked) == [False]


def test_what_was_never_attended_taken_back_or_signposted_goes_sooner(intake: Intake) -> None:
    never, taken_back, elsewhere = (intake.ask_for_help() for _ in range(3))
    intake.assess(never.referral_id)
    intake.end_match(intake.match(never.referral_id), MatchEndReason.NOT_ATTENDED)
    intake.withdraw(taken_back.reference)
    away = Signpost(referral_id=elsewhere.referral_id, reason=SignpostReason.OUT_OF_SCOPE)
    intake.ask(lifecycle.signpost, away)
    assert [shown(intake, one.reference).term for one in (never, taken_back, elsewhere)] == [
        "not_attended",
        "withdrawn",
        "signposted",
    ]
    pass_time(intake, YEAR)
    assert held(intake, never, taken_back, elsewhere) == [True, False, False]
    pass_time(intake, YEAR)
    assert held(intake, never) == [False]


def test_what_nobody_ever_finished_goes_too(intake: Intake) -> None:
    unanswered, assessed = intake.ask_for_help(), intake.ask_and_assess()
    pass_time(intake, 2 * YEAR)
    assert held(intake, unanswered, assessed) == [False, True]
    assert shown(intake, assessed.reference).term == "unfinished"
    pass_time(intake, YEAR)
    assert held(intake, assessed) == [False]


def test_each_step_of_what_is_unfinished_begins_its_term_anew(intake: Intake) -> None:
    asked = intake.ask_for_help()
    pass_time(intake, 700 * DAY)
    intake.assess(asked.referral_id)
    pass_time(intake, 2 * YEAR)
    assert held(intake, asked) == [True]


def test_it_goes_by_the_same_path_as_by_command_and_nobody_is_written_to(intake: Intake) -> None:
    asked = intake.ask_for_help()
    pass_time(intake, 2 * YEAR)
    assert intake.emitted(ReferralErased) == [ReferralErased(referral_id=asked.referral_id)]
    assert [one.reason for one in intake.emitted(ReferralWithdrawn)] == [WithdrawalReason.NO_CONTACT]
    audit = intake.database.tables.audit_entry
    (entry,) = intake.read(lambda unit: unit.session.execute(select(audit)).all())
    assert (entry.what, entry.who, entry.reason) == ("erased", "rule", "retention")
    assert not [row for row in intake.stored()["data_key"] if row[1]]


# What stops it


def test_a_legal_hold_stops_it_and_it_goes_on_at_once_when_that_is_lifted(intake: Intake) -> None:
    asked = intake.ask_for_help()
    intake.withdraw(asked.reference)
    hold(intake, asked)
    pass_time(intake, 5 * YEAR)
    assert held(intake, asked) == [True]
    assert [one.kind for one in shown(intake, asked.reference).stopped_by] == ["legal_hold"]
    assert due_within(intake, timedelta()) == [asked.reference]
    lift(intake, asked)
    intake.fire_due(TIMERS)
    assert held(intake, asked) == [False]


def test_lifting_a_hold_before_the_time_has_come_erases_nobody(intake: Intake) -> None:
    asked = intake.ask_for_help()
    hold(intake, asked)
    lift(intake, asked)
    pass_time(intake, DAY)
    assert held(intake, asked) == [True]
    pass_time(intake, 2 * YEAR)
    assert held(intake, asked) == [False]


def test_an_open_concern_stops_it_until_somebody_has_it_in_hand(intake: Intake) -> None:
    asked = intake.ask_for_help()
    concern = RaiseConcern(
        referral_id=asked.referral_id,
        severity=Severity.URGENT,
        category=ConcernCategory.ADULT_AT_RISK,
    )
    raised = intake.ask(safeguarding.raise_concern, concern)
    pass_time(intake, 3 * YEAR)
    assert held(intake, asked) == [True]
    intake.acknowledge(raised.concern_id, asked.referral_id)
    pass_time(intake, 7 * DAY)
    assert held(intake, asked) == [False]


def test_a_therapy_that_goes_on_stops_it_however_long(intake: Intake) -> None:
    asked = intake.ask_and_assess()
    match = intake.match(asked.referral_id)
    pass_time(intake, 10 * YEAR)
    assert [one.kind for one in shown(intake, asked.reference).stopped_by] == ["therapy_in_progress"]
    intake.end_match(match, MatchEndReason.COMPLETED)
    pass_time(intake, 6 * YEAR)
    assert held(intake, asked) == [True], "the term begins with the end"
    pass_time(intake, 2 * YEAR)
    assert held(intake, asked) == [False]


# What belongs together


def test_who_asks_again_is_kept_as_a_whole_until_the_last_of_it_may_go(intake: Intake) -> None:
    first = intake.ask_for_help()
    intake.withdraw(first.reference)
    pass_time(intake, 300 * DAY)
    second = re_refer(intake, first)
    pass_time(intake, 600 * DAY)
    assert held(intake, first, second) == [True, True]
    assert shown(intake, first.reference).goes_with == (second.reference,)
    assert shown(intake, first.reference).due_at == shown(intake, second.reference).due_at
    pass_time(intake, 200 * DAY)
    assert held(intake, first, second) == [False, False]


def test_a_longer_term_of_what_was_before_holds_for_what_was_asked_again(intake: Intake) -> None:
    first = intake.ask_and_assess()
    intake.end_match(intake.match(first.referral_id), MatchEndReason.COMPLETED)
    second = re_refer(intake, first)
    intake.withdraw(second.reference)
    pass_time(intake, 6 * YEAR)
    assert held(intake, first, second) == [True, True]
    pass_time(intake, 2 * YEAR)
    assert held(intake, first, second) == [False, False]


def test_the_earlier_request_is_counted_by_itself_when_the_later_was_erased(intake: Intake) -> None:
    first = intake.ask_for_help()
    intake.withdraw(first.reference)
    second = re_refer(intake, first)
    erase(intake, second)
    assert held(intake, first, second) == [True, False]
    assert shown(intake, first.reference).term == "asked_again"
    pass_time(intake, YEAR)
    assert held(intake, first) == [False]


def erase(intake: Intake, asked: Asked) -> None:
    request = Erase(reference=asked.reference, reason=ErasureReason.CLIENT_ASKED)
    intake.ask(erasure.erase_by_person, request)


def test_a_merged_request_goes_with_the_one_that_went_on(intake: Intake) -> None:
    first, second = intake.ask_for_help(), intake.ask_for_help()
    merge(intake, second, first)
    pass_time(intake, 400 * DAY)
    assert held(intake, first, second) == [True, True], "by itself it would have gone as withdrawn"
    pass_time(intake, 400 * DAY)
    assert held(intake, first, second) == [False, False]


def test_an_unmerged_request_has_a_term_of_its_own_again(intake: Intake) -> None:
    first, second = intake.ask_for_help(), intake.ask_for_help()
    merge(intake, second, first)
    intake.withdraw(first.reference)
    pass_time(intake, 300 * DAY)
    unmerge(intake, second)
    pass_time(intake, 300 * DAY)
    assert held(intake, first, second) == [False, True]


def test_a_hold_on_one_of_them_holds_all(intake: Intake) -> None:
    first, second = intake.ask_for_help(), intake.ask_for_help()
    merge(intake, second, first)
    hold(intake, second)
    pass_time(intake, 5 * YEAR)
    assert held(intake, first, second) == [True, True]
    with pytest.raises(errors.OnLegalHold):
        erase(intake, first)
    lift(intake, second)
    intake.fire_due(TIMERS)
    assert held(intake, first, second) == [False, False]


@pytest.mark.parametrize("named", [0, 1])
def test_whoever_erases_one_of_two_merged_requests_erases_both(intake: Intake, named: int) -> None:
    both = intake.ask_for_help(), intake.ask_for_help()
    merge(intake, both[1], both[0])
    erase(intake, both[named])
    assert held(intake, *both) == [False, False]
    assert {one.referral_id for one in intake.emitted(ReferralErased)} == {one.referral_id for one in both}
    request = Erase(reference=both[named].reference, reason=ErasureReason.CLIENT_ASKED)
    view = intake.ask(erasure.erase_by_person, request)
    assert [one.reference for one in view.with_it] == [both[1 - named].reference]


# What can be asked


def test_who_is_due_is_listed_once_and_in_order(intake: Intake) -> None:
    later = intake.ask_for_help()
    sooner, same = intake.ask_for_help(), intake.ask_for_help()
    merge(intake, same, sooner)
    intake.withdraw(sooner.reference)
    assert due_within(intake, 30 * DAY) == []
    assert due_within(intake, YEAR) == [sooner.reference]
    assert due_within(intake, 3 * YEAR) == [sooner.reference, later.reference]


def test_what_is_not_held_has_no_date(intake: Intake) -> None:
    asked = intake.ask_for_help()
    erase(intake, asked)
    with pytest.raises(errors.UnknownReferral):
        shown(intake, asked.reference)
    assert due_within(intake, 9 * YEAR) == []


def test_a_policy_that_changed_counts_for_all_once_it_is_applied(intake: Intake, shorter: Path) -> None:
    asked = intake.ask_for_help()
    intake.withdraw(asked.reference)
    pass_time(intake, 100 * DAY)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(intake.dependencies.__dict__, "retention", read_retention_policy(shorter))
        done = intake.ask(retention.apply_retention, ApplyRetention())
        assert (done.referrals, done.policy_version) == (1, 2)
        intake.fire_due(TIMERS)
    assert held(intake, asked) == [False]
    (applied,) = intake.ask(retention.list_applied, ListApplied())
    assert (applied.applied_by, applied.applied_at) == (SAM, intake.clock.now())
    assert applied.what == "policy 2, referrals: 1"


@pytest.fixture
def shorter(tmp_path: Path) -> Path:
    path = tmp_path / "retention-v2.toml"
    path.write_text(
        RETENTION.read_text().replace("version = 1", "version = 2").replace("months = 12\n", "months = 3\n")
    )
    return path


# The policy's file


@pytest.mark.parametrize(
    ("line", "instead", "said"),
    [
        ("months = 84", "months = 0", "months = 0 is no whole number"),
        ("months = 84", "months = true", "no whole number"),
        ('outcome = ["unanswered"]', 'outcome = ["unanswerd"]', "unanswerd"),
        ('outcome = ["unanswered"]', 'outcome = ["unfinished"]', "no term fits unanswered"),
        ("when = { young = true }", "when = { age = 17 }", "'age' = 17"),
        ('name = "signposted"', 'name = "withdrawn"', "the same name"),
        ('name = "signposted"', 'name = "signposted"\nyears = 3', "which no term can"),
        ("version = 1", "", "'version' is missing"),
        ('why = "Asked', 'why = ""\nreason = "Asked', "can"),
    ],
)
def test_a_policy_that_is_wrong_is_refused_at_the_start(tmp_path: Path, line: str, instead: str, said: str) -> None:
    path = tmp_path / "retention.toml"
    assert line in RETENTION.read_text()
    path.write_text(RETENTION.read_text().replace(line, instead))
    with pytest.raises(InvalidPolicy, match=said):
        read_retention_policy(path)


def test_the_end_of_a_month_stays_the_end_of_a_month() -> None:
    leap = datetime(2028, 2, 29, 12, tzinfo=UTC)
    assert months_after(leap, 12) == datetime(2029, 2, 28, 12, tzinfo=UTC)
    assert months_after(leap, 48) == datetime(2032, 2, 29, 12, tzinfo=UTC)
    assert months_after(datetime(2026, 12, 31, tzinfo=UTC), 1) == datetime(2027, 1, 31, tzinfo=UTC)


def test_months_are_those_of_london_s_calendar() -> None:
    first_of_july_in_london = datetime(2026, 6, 30, 23, 30, tzinfo=UTC)
    assert months_after(first_of_july_in_london, 6) == datetime(2027, 1, 1, 0, 30, tzinfo=UTC)
    assert months_after(first_of_july_in_london, 12) == datetime(2027, 6, 30, 23, 30, tzinfo=UTC)
