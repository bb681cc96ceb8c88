"""A date of birth that can't be is refused, and the front-end is told which field is at fault, never what is in it."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from contracts.events.intake import HelpRequestRefused, ReferralReceived
from contracts.vocabulary import AgeBand, RefusalReason
from services.intake.domain.ages import can_be_born_on
from tests.unit.intake.conftest import MONDAY_10, Intake

TODAY = MONDAY_10.date()
POSSIBLE = [TODAY, date(2008, 2, 29), date(1906, 11, 23), date(1905, 11, 24)]
IMPOSSIBLE = [date(2026, 11, 24), date(2062, 3, 1), date(1905, 11, 23), date(1900, 1, 1)]


@pytest.mark.parametrize("born", [*POSSIBLE, *IMPOSSIBLE])
def test_who_may_be_alive_was_born_not_later_than_today_and_not_over_120_years_ago(born: date) -> None:
    assert can_be_born_on(born, today=TODAY) is (born in POSSIBLE)


@pytest.mark.parametrize("born", IMPOSSIBLE)
def test_a_request_with_an_impossible_date_of_birth_is_refused_by_its_field(intake: Intake, born: date) -> None:
    event = intake.requested(date_of_birth=born)
    intake.submit(event)
    assert intake.emitted(HelpRequestRefused) == [
        HelpRequestRefused(submission_id=event.submission_id, reason=RefusalReason.MALFORMED, field="date_of_birth")
    ]
    assert intake.awaiting() == []


@pytest.mark.parametrize("born", [*POSSIBLE, None])
def test_every_other_is_taken(intake: Intake, born: date | None) -> None:
    intake.ask_for_help(date_of_birth=born)
    assert intake.refusals() == []


HALF_PAST_MIDNIGHT_IN_LONDON = datetime(2026, 6, 30, 23, 30, tzinfo=UTC)
"""Of 1 July."""


def test_an_age_is_reckoned_by_london_s_day(intake: Intake) -> None:
    intake.clock.advance(HALF_PAST_MIDNIGHT_IN_LONDON - intake.clock.now())
    asked = intake.ask_for_help(age=None, date_of_birth=date(2008, 7, 1))
    (received,) = (one for one in intake.emitted(ReferralReceived) if one.referral_id == asked.referral_id)
    assert received.age_band is AgeBand.FROM_18


def test_whoever_was_born_today_in_london_was_born(intake: Intake) -> None:
    intake.clock.advance(HALF_PAST_MIDNIGHT_IN_LONDON - intake.clock.now())
    intake.ask_for_help(age=None, date_of_birth=date(2026, 7, 1))
    assert intake.refusals() == []
