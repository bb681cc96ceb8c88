"""A therapist says by the page of the introduction that the work has ended: as if a person had recorded it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from chassis.ports import Invalid
from contracts.commands.matching import UndoMatchEnd
from contracts.events.matching import MatchEnded, TherapistOffered
from contracts.events.notifications import TherapyReportAccepted
from contracts.vocabulary import MatchEndReason, MatchId, ReferralId, TherapistId, TherapyReport, UndoReason
from services.matching.handlers import commands, therapists
from tests.unit.matching.conftest import Matching


def said(matching: Matching, match_id: Any, what: TherapyReport, **more: Any) -> TherapyReportAccepted:
    known: dict[str, Any] = {
        "match_id": MatchId(match_id),
        "referral_id": ReferralId(uuid4()),
        "therapist_id": TherapistId(uuid4()),
        "what": what,
        "reported_at": matching.clock.now(),
    }
    return TherapyReportAccepted(**(known | more))


def ended(matching: Matching, match_id: Any, reason: MatchEndReason) -> TherapyReportAccepted:
    return said(matching, match_id, TherapyReport.ENDED, reason=reason)


def test_the_match_ends_once_for_the_reason_that_was_said(matching: Matching) -> None:
    matching.admit()
    match_id = matching.accept(matching.search_for())
    report = ended(matching, match_id, MatchEndReason.COMPLETED)
    for _ in range(2):
        matching.hear(therapists.take_therapy_report, report)
    assert [(one.match_id, one.reason) for one in matching.emitted(MatchEnded)] == [
        (match_id, MatchEndReason.COMPLETED)
    ]


def test_a_client_who_was_unhappy_gets_another_therapist(matching: Matching) -> None:
    matching.admit()
    referral_id = matching.search_for()
    match_id = matching.accept(referral_id)
    other = matching.admit()
    matching.hear(therapists.take_therapy_report, ended(matching, match_id, MatchEndReason.CLIENT_UNHAPPY))
    matching.run()
    assert matching.asked(referral_id) == other
    assert len(matching.emitted(TherapistOffered)) == 2


def test_an_end_that_was_a_mistake_is_undone_by_the_office_and_the_same_word_ends_nothing_again(
    matching: Matching,
) -> None:
    matching.admit()
    match_id = MatchId(matching.accept(matching.search_for()))
    report = ended(matching, match_id, MatchEndReason.COMPLETED)
    matching.hear(therapists.take_therapy_report, report)
    undo = UndoMatchEnd(match_id=match_id, reason=UndoReason.RECORDED_BY_MISTAKE)
    assert matching.ask(commands.undo_match_end, undo).changed
    matching.hear(therapists.take_therapy_report, report)
    assert len(matching.emitted(MatchEnded)) == 1
    matching.clock.advance(timedelta(days=1))
    matching.hear(therapists.take_therapy_report, ended(matching, match_id, MatchEndReason.COMPLETED))
    assert len(matching.emitted(MatchEnded)) == 2


def test_what_was_said_before_an_end_was_undone_and_comes_after_it_ends_nothing(matching: Matching) -> None:
    matching.admit()
    match_id = MatchId(matching.accept(matching.search_for()))
    late = ended(matching, match_id, MatchEndReason.COMPLETED)
    matching.clock.advance(timedelta(hours=1))
    matching.end(match_id, MatchEndReason.COMPLETED)
    matching.clock.advance(timedelta(hours=1))
    undo = UndoMatchEnd(match_id=match_id, reason=UndoReason.RECORDED_BY_MISTAKE)
    matching.ask(commands.undo_match_end, undo)
    matching.hear(therapists.take_therapy_report, late)
    assert len(matching.emitted(MatchEnded)) == 1
    matching.clock.advance(timedelta(minutes=1))
    matching.hear(therapists.take_therapy_report, ended(matching, match_id, MatchEndReason.COMPLETED))
    assert len(matching.emitted(MatchEnded)) == 2, "what is said since is news"


@pytest.mark.parametrize("what", [one for one in TherapyReport if one is not TherapyReport.ENDED])
def test_what_else_is_said_is_billing_s_to_keep(matching: Matching, what: TherapyReport) -> None:
    matching.admit()
    match_id = matching.accept(matching.search_for())
    before = len(matching.all_emitted)
    matching.hear(therapists.take_therapy_report, said(matching, match_id, what))
    assert len(matching.all_emitted) == before


def test_a_report_about_no_match_is_parked(matching: Matching) -> None:
    with pytest.raises(Invalid, match="no match"):
        matching.hear(therapists.take_therapy_report, ended(matching, uuid4(), MatchEndReason.COMPLETED))
