"""What a therapist says by the page of the introduction is heard as if a person had given the command."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from chassis.ids import new_id
from chassis.ports import Invalid, NotYet
from contracts.commands.billing import ListUnrecordedAttendance, RecordAttendance, ReverseSession, UnrecordedAttendance
from contracts.events.billing import AttendanceUnrecorded, FirstSessionAttended, ReferralFeeCredited
from contracts.events.matching import TherapistMatched
from contracts.events.notifications import TherapyReportAccepted
from contracts.vocabulary import (
    MatchEndReason,
    MatchId,
    SessionId,
    SessionReversalReason,
    TherapyReport,
)
from services.billing.handlers import queries, sessions
from services.billing.store import matches, tables
from tests.unit.billing.making import TODAY, Bench, assessed, ended, matched, referral


def a_match(bench: Bench, *, subsidised: bool = False) -> TherapistMatched:
    if subsidised:
        bench.open_fund()
    asked = referral(subsidy_requested=subsidised)
    match = matched(asked.referral_id)
    bench.told(asked, assessed(asked.referral_id), match)
    bench.clock.advance(timedelta(hours=5))
    return match


def said(bench: Bench, match: TherapistMatched, what: TherapyReport, **more: Any) -> TherapyReportAccepted:
    return TherapyReportAccepted(
        match_id=match.match_id,
        referral_id=match.referral_id,
        therapist_id=match.therapist_id,
        what=what,
        **({"reported_at": bench.clock.now()} | more),
    )


def queue(bench: Bench) -> list[UnrecordedAttendance]:
    found: list[UnrecordedAttendance] = bench.ask(queries.unrecorded_attendance, ListUnrecordedAttendance())
    return found


def first_sessions(bench: Bench) -> list[tuple[MatchId, date]]:
    return [(one.match_id, one.attended_on) for one in bench.emitted(FirstSessionAttended)]


def session_of(bench: Bench, match: TherapistMatched) -> SessionId:
    with bench.database.reading() as unit:
        table = tables.session_table
        wanted = table.select().where(table.c.match_id == match.match_id).order_by(table.c.id.desc())
        return SessionId(unit.session.execute(wanted).first().id)  # type: ignore[union-attr]


def test_a_first_session_is_recorded_once_and_takes_the_match_from_the_queue(bench: Bench) -> None:
    match = a_match(bench)
    bench.pass_days(31)
    assert [one.match_id for one in queue(bench)] == [match.match_id]
    report = said(bench, match, TherapyReport.FIRST_SESSION, on=TODAY)
    bench.told(report, report, said(bench, match, TherapyReport.FIRST_SESSION, on=TODAY + timedelta(days=1)))
    assert first_sessions(bench) == [(match.match_id, TODAY)]
    assert queue(bench) == []


def test_an_award_pays_for_a_first_session_that_it_covers(bench: Bench) -> None:
    match = a_match(bench, subsidised=True)
    bench.told(said(bench, match, TherapyReport.FIRST_SESSION, on=TODAY))
    assert first_sessions(bench) == [(match.match_id, TODAY)]
    (fund,) = bench.funds()
    assert fund.drawn_pence == 40_00
    assert bench.books().is_balanced


def test_a_session_that_was_taken_back_is_not_recorded_by_the_same_word_again(bench: Bench) -> None:
    match = a_match(bench)
    report = said(bench, match, TherapyReport.FIRST_SESSION, on=TODAY)
    bench.told(report)
    taken_back = ReverseSession(session_id=session_of(bench, match), reason=SessionReversalReason.WRONG_DAY)
    bench.ask(sessions.reverse_session, taken_back)
    bench.told(report)
    assert len(first_sessions(bench)) == 1
    bench.clock.advance(timedelta(days=1))
    bench.told(said(bench, match, TherapyReport.FIRST_SESSION, on=TODAY + timedelta(days=1)))
    assert first_sessions(bench)[-1] == (match.match_id, TODAY + timedelta(days=1))


def test_what_was_said_before_a_session_was_taken_back_and_comes_after_it_records_nothing(bench: Bench) -> None:
    match = a_match(bench)
    late = said(bench, match, TherapyReport.FIRST_SESSION, on=TODAY)
    bench.clock.advance(timedelta(hours=1))
    day = RecordAttendance(referral_id=match.referral_id, match_id=match.match_id, attended_on=TODAY)
    bench.ask(sessions.record_attendance, day)
    taken_back = ReverseSession(session_id=session_of(bench, match), reason=SessionReversalReason.DID_NOT_TAKE_PLACE)
    bench.ask(sessions.reverse_session, taken_back)
    bench.told(late)
    assert len(first_sessions(bench)) == 1


def test_contact_made_stands_in_the_queue_and_answers_nothing_by_itself(bench: Bench) -> None:
    match = a_match(bench)
    bench.told(said(bench, match, TherapyReport.CONTACT_MADE, on=TODAY))
    bench.told(said(bench, match, TherapyReport.CONTACT_MADE, on=TODAY + timedelta(days=1)))
    bench.pass_days(31)
    (waiting,) = queue(bench)
    assert (waiting.match_id, waiting.contact_made_on) == (match.match_id, TODAY)
    assert len(bench.emitted(AttendanceUnrecorded)) == 1


def test_the_oldest_match_stands_first_in_the_queue(bench: Bench) -> None:
    first = a_match(bench)
    bench.pass_days(2)
    second = a_match(bench)
    bench.told(said(bench, second, TherapyReport.CONTACT_MADE, on=bench.today))
    bench.pass_days(31)
    assert [(one.match_id, one.contact_made_on) for one in queue(bench)] == [
        (first.match_id, None),
        (second.match_id, TODAY + timedelta(days=2)),
    ]


def test_that_the_client_never_came_gives_the_fee_back_once_and_says_who_said_so(bench: Bench) -> None:
    match = a_match(bench)
    report = said(bench, match, TherapyReport.NOT_ATTENDED)
    bench.told(report, report)
    assert len(bench.emitted(ReferralFeeCredited)) == 1
    with bench.database.reading() as unit:
        assert matches.get_match(unit.session, match.match_id).never_attended_by == "the therapist"


def test_what_a_person_would_be_refused_is_for_a_person_to_see(bench: Bench) -> None:
    match = a_match(bench)
    bench.told(said(bench, match, TherapyReport.FIRST_SESSION, on=TODAY))
    with pytest.raises(Invalid, match="SessionsOnRecord"):
        bench.told(said(bench, match, TherapyReport.NOT_ATTENDED))
    other = a_match(bench)
    with pytest.raises(Invalid, match="SessionBeforeMatch"):
        bench.told(said(bench, other, TherapyReport.FIRST_SESSION, on=TODAY - timedelta(days=1)))
    assert bench.emitted(ReferralFeeCredited) == []


def test_a_report_waits_for_its_match_and_an_end_is_not_billing_s_to_hear(bench: Bench) -> None:
    match = a_match(bench)
    unknown = TherapistMatched(**{**vars(match), "match_id": MatchId(new_id())})
    with pytest.raises(NotYet):
        bench.told(said(bench, unknown, TherapyReport.NOT_ATTENDED))
    before = len(bench.all_emitted)
    bench.told(said(bench, match, TherapyReport.ENDED, reason=MatchEndReason.COMPLETED))
    assert len(bench.all_emitted) == before


def test_a_session_before_the_end_counts_though_the_end_was_heard_first(bench: Bench) -> None:
    match = a_match(bench)
    bench.told(ended(match, MatchEndReason.CLIENT_UNHAPPY))
    bench.told(said(bench, match, TherapyReport.FIRST_SESSION, on=TODAY))
    assert first_sessions(bench) == [(match.match_id, TODAY)]
