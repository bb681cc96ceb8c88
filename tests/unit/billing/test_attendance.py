"""Whether client and therapist have met: asked of a person, and never taken from silence."""

from __future__ import annotations

from datetime import timedelta

import pytest

from chassis.ids import new_id
from chassis.ports import Refused
from chassis.testing import somebody
from contracts.commands.billing import (
    ListUnrecordedAttendance,
    NeverAttendedView,
    RecordAttendance,
    RecordNeverAttended,
    UnrecordedAttendance,
)
from contracts.events.billing import AttendanceUnrecorded, ReferralFeeCredited, SubsidyReleased
from contracts.events.matching import TherapistMatched
from contracts.vocabulary import FeeCreditReason, MatchEndReason, MatchId
from services.billing.handlers import queries, sessions
from tests.unit.billing.making import TODAY, Bench, assessed, closed, ended, matched, referral, withdrawn


def a_match(bench: Bench) -> TherapistMatched:
    asked = referral(subsidy_requested=False)
    match = matched(asked.referral_id)
    bench.told(asked, match)
    return match


def attend(bench: Bench, match: TherapistMatched) -> None:
    bench.ask(sessions.record_attendance, RecordAttendance(referral_id=match.referral_id, attended_on=bench.today))


def never_attended(bench: Bench, match_id: MatchId, by: str = "sam") -> NeverAttendedView:
    request = RecordNeverAttended(match_id=match_id)
    view: NeverAttendedView = bench.ask(sessions.record_never_attended, request, by=somebody(by))
    return view


def queue(bench: Bench) -> list[UnrecordedAttendance]:
    found: list[UnrecordedAttendance] = bench.ask(queries.unrecorded_attendance, ListUnrecordedAttendance())
    return found


def test_somebody_is_asked_thirty_days_after_a_match_of_which_nothing_is_recorded(bench: Bench) -> None:
    match = a_match(bench)
    bench.pass_days(29)
    assert (bench.emitted(AttendanceUnrecorded), queue(bench)) == ([], [])
    bench.pass_days(2)
    (asked,) = bench.emitted(AttendanceUnrecorded)
    assert (asked.match_id, asked.therapist_id, asked.matched_on) == (match.match_id, match.therapist_id, TODAY)
    (waiting,) = queue(bench)
    assert (waiting.match_id, waiting.matched_on, waiting.ended_on) == (match.match_id, TODAY, None)
    bench.pass_days(200)
    bench.told(ended(match, MatchEndReason.CLIENT_UNHAPPY))
    bench.settle()
    assert len(bench.emitted(AttendanceUnrecorded)) == 1
    assert bench.emitted(ReferralFeeCredited) == []


def test_nobody_is_asked_of_a_match_whose_session_is_on_record(bench: Bench) -> None:
    attend(bench, a_match(bench))
    bench.pass_days(31)
    assert (bench.emitted(AttendanceUnrecorded), queue(bench)) == ([], [])


@pytest.mark.parametrize("reason", [MatchEndReason.WITHDRAWN, MatchEndReason.CLIENT_UNHAPPY])
def test_somebody_is_asked_at_once_when_a_match_ends_of_which_nothing_is_recorded(
    bench: Bench, reason: MatchEndReason
) -> None:
    match = a_match(bench)
    bench.told(ended(match, reason))
    bench.settle()
    assert [one.match_id for one in bench.emitted(AttendanceUnrecorded)] == [match.match_id]
    (waiting,) = queue(bench)
    assert (waiting.ended_on, waiting.end_reason) == (TODAY, reason.value)


@pytest.mark.parametrize("reason", [MatchEndReason.COMPLETED, MatchEndReason.NOT_ATTENDED])
def test_nobody_is_asked_where_the_end_of_the_match_says_whether_they_came(
    bench: Bench, reason: MatchEndReason
) -> None:
    bench.told(ended(a_match(bench), reason))
    bench.pass_days(31)
    assert (bench.emitted(AttendanceUnrecorded), queue(bench)) == ([], [])


def test_nobody_is_asked_of_a_therapy_that_was_closed_as_ended(bench: Bench) -> None:
    match = a_match(bench)
    bench.told(closed(match.referral_id), ended(match, MatchEndReason.WITHDRAWN))  # matching's word for a closing
    bench.pass_days(31)
    assert (bench.emitted(AttendanceUnrecorded), queue(bench)) == ([], [])
    assert bench.emitted(ReferralFeeCredited) == []


def test_the_fee_is_given_back_when_somebody_records_that_the_client_never_came(bench: Bench) -> None:
    match = a_match(bench)
    bench.told(withdrawn(match.referral_id), ended(match, MatchEndReason.WITHDRAWN))
    bench.pass_days(31)
    assert never_attended(bench, match.match_id).changed
    (credited,) = bench.emitted(ReferralFeeCredited)
    assert (credited.match_id, credited.reason) == (match.match_id, FeeCreditReason.NOT_ATTENDED)
    again = never_attended(bench, match.match_id, "alex")
    assert (again.recorded_by, again.changed) == ("console:sam", False)
    assert (len(bench.emitted(ReferralFeeCredited)), queue(bench)) == (1, [])


def test_that_the_client_never_came_can_not_be_recorded_beside_their_sessions(bench: Bench) -> None:
    match = a_match(bench)
    attend(bench, match)
    for match_id in (match.match_id, MatchId(new_id())):
        with pytest.raises(Refused):
            never_attended(bench, match_id)
    assert bench.emitted(ReferralFeeCredited) == []


def test_what_was_reserved_for_late_sessions_goes_back_when_it_is_known_that_there_were_none(bench: Bench) -> None:
    bench.open_fund()
    asked = referral()
    match = matched(asked.referral_id)
    bench.told(asked, assessed(asked.referral_id), match, withdrawn(asked.referral_id))
    bench.clock.advance(timedelta(days=2))
    bench.settle()
    assert bench.emitted(SubsidyReleased) == []
    never_attended(bench, match.match_id)
    assert [one.released_pence for one in bench.emitted(SubsidyReleased)] == [400_00]
    bench.pass_days(40)
    assert (len(bench.emitted(SubsidyReleased)), bench.books().is_balanced) == (1, True)
