"""What billing tells somebody of what it holds about them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from chassis.testing import HandlerBench
from contracts.commands.billing import DrawDown, ReverseSession
from contracts.events.notifications import TherapyReportAccepted
from contracts.vocabulary import MatchEndReason, ReferralId, SessionId, SessionReversalReason, TherapyReport
from services.billing import subject_access
from services.billing.handlers import sessions
from tests.unit.billing.making import Bench, assessed, ended, matched, referral


def told(bench: HandlerBench, referral_id: ReferralId) -> list[str]:
    """Every fact as `what: value`."""
    request: Any = SimpleNamespace(referral_id=referral_id)  # the rest of the question is the chassis's
    with bench.database.reading() as unit:
        sections = subject_access.tell(unit, request)
    entries = [entry for section in sections for entry in section.entries]
    return [f"{fact.what}: {fact.value}" for entry in entries for fact in entry.facts]


def test_that_a_therapist_said_they_made_contact_is_told(bench: Bench) -> None:
    asked = referral(subsidy_requested=False)
    match = matched(asked.referral_id)
    report = TherapyReportAccepted(
        match_id=match.match_id,
        referral_id=match.referral_id,
        therapist_id=match.therapist_id,
        what=TherapyReport.CONTACT_MADE,
        reported_at=bench.clock.now(),
        on=bench.today,
    )
    bench.told(asked, match, report)
    assert "They told us that they made contact with you on: 23 November 2026" in told(bench, asked.referral_id)


def test_a_session_that_was_taken_back_is_told_with_who_and_why(bench: Bench) -> None:
    bench.open_fund()
    before = referral(subsidy_requested=False)
    asked = referral(previous_referral_id=before.referral_id)
    match = matched(asked.referral_id)
    bench.told(before, asked, assessed(asked.referral_id), match)
    award = bench.subsidy(asked.referral_id).award
    assert award is not None
    session = bench.ask(sessions.draw_down, DrawDown(award_id=award.award_id, attended_on=bench.today))
    reason = SessionReversalReason.DID_NOT_TAKE_PLACE
    taken_back = ReverseSession(session_id=SessionId(session.session_id), reason=reason)
    bench.ask(sessions.reverse_session, taken_back)
    bench.told(ended(match, MatchEndReason.NOT_ATTENDED))
    facts = told(bench, asked.referral_id)
    assert "By: A person of the charity" in facts
    assert "Why: It did not take place" in facts
    assert "This request takes up an earlier one of yours: Yes" in facts
    assert "For sessions from: 23 November 2026" in facts
    assert any(fact.startswith("This was taken back, as it was not so, on: 23 November 2026") for fact in facts)
    assert any(fact.startswith("When it ended: 23 November 2026") for fact in facts)
