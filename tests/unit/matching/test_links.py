"""The one-time link of an offer: the facts that its page shows, and the therapist's answer."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from chassis.ids import new_id
from chassis.ports import Invalid
from chassis.privacy.sealing import Keyring
from contracts.commands.matching import GetOfferLink, OfferPage, SuspendTherapist
from contracts.events.matching import OfferDeclined, TherapistMatched, TherapistOffered
from contracts.events.web import OfferAnswered
from contracts.sealed import LinkSecret, OfferAnswer
from contracts.vocabulary import (
    AgeBand,
    ClientGroup,
    DeclineReason,
    LinkState,
    RiskLevel,
    Sessions,
    SubmissionId,
    SuspensionReason,
    TherapistId,
    Work,
)
from services.matching.handlers import commands, queries, therapists
from tests.unit.matching.conftest import TIMERS, Matching


@pytest.fixture
def secret(matching: Matching, keys: Path) -> str:
    """Of the link of one open offer."""
    matching.admit()
    matching.search_for(fee_ceiling_pence=65_00)
    return secret_of_last(matching, keys)


def secret_of_last(matching: Matching, keys: Path) -> str:
    sealed = matching.emitted(TherapistOffered)[-1].sealed
    assert sealed
    return Keyring(keys, reader="notifications").open(LinkSecret, sealed).token


@pytest.fixture
def page(matching: Matching, keys: Path) -> Any:
    def shown(secret: str) -> OfferPage:
        sealed = Keyring(keys).seal("matching", LinkSecret(token=secret))
        found: OfferPage = matching.ask(queries.open_offer, GetOfferLink(sealed=sealed))
        return found

    return shown


@pytest.fixture
def say(matching: Matching, keys: Path) -> Any:
    def said(secret: str, **answer: Any) -> None:
        sealed = Keyring(keys).seal("matching", OfferAnswer(token=secret, **answer))
        event = OfferAnswered(submission_id=SubmissionId(new_id()), sealed=sealed)
        matching.hear(therapists.take_answer, event)
        matching.fire_due(TIMERS)

    return said


def test_a_page_shows_what_a_therapist_judges_by_and_looking_answers_nothing(
    matching: Matching, secret: str, page: Any
) -> None:
    for _ in range(3):
        shown = page(secret)
    facts = shown.facts
    assert (shown.state, shown.accepted) == (LinkState.OPEN, None)
    assert (facts.client_group, facts.risk_level, facts.age_band) == (
        ClientGroup.AT_RISK, RiskLevel.LOWER, AgeBand.FROM_35,
    )  # fmt: skip
    assert (facts.work, facts.language, facts.sessions) == (Work.INDIVIDUAL, "en", Sessions.IN_PERSON)
    assert (facts.session_fee_pence, facts.most_pence, facts.subsidy_pence) == (60_00, 65_00, 0)
    assert facts.expires_at - matching.clock.now() == timedelta(days=2)
    assert matching.emitted(TherapistMatched) == []


def test_the_button_accepts_once(matching: Matching, secret: str, page: Any, say: Any) -> None:
    say(secret, accepted=True)
    say(secret, accepted=False, reason=DeclineReason.NO_ROOM)
    assert page(secret) == OfferPage(state=LinkState.ANSWERED, accepted=True)
    assert len(matching.emitted(TherapistMatched)) == 1
    assert matching.emitted(OfferDeclined) == []


def test_a_reason_declines(matching: Matching, secret: str, page: Any, say: Any) -> None:
    say(secret, accepted=False, reason=DeclineReason.OUTSIDE_EXPERIENCE)
    say(secret, accepted=True)
    assert page(secret) == OfferPage(state=LinkState.ANSWERED, accepted=False)
    (declined,) = matching.emitted(OfferDeclined)
    assert declined.reason is DeclineReason.OUTSIDE_EXPERIENCE
    assert matching.emitted(TherapistMatched) == []


def test_declining_without_a_reason_is_no_answer(matching: Matching, secret: str, page: Any, say: Any) -> None:
    with pytest.raises(Invalid, match="reason"):
        say(secret, accepted=False)
    assert page(secret).state is LinkState.OPEN


def test_a_link_is_void_when_its_time_is_over_even_before_the_timer_says_so(
    matching: Matching, secret: str, page: Any, say: Any
) -> None:
    matching.clock.advance(timedelta(days=2))
    assert page(secret) == OfferPage(state=LinkState.EXPIRED)
    say(secret, accepted=True)
    assert page(secret) == OfferPage(state=LinkState.EXPIRED)
    assert matching.emitted(TherapistMatched) == []


def test_a_link_is_void_once_its_therapist_is_asked_nothing_any_more(
    matching: Matching, secret: str, page: Any, say: Any
) -> None:
    therapist = TherapistId(matching.emitted(TherapistOffered)[-1].therapist_id)
    matching.ask(
        commands.suspend_therapist, SuspendTherapist(therapist_id=therapist, reason=SuspensionReason.COMPLAINT)
    )
    assert page(secret) == OfferPage(state=LinkState.WITHDRAWN)
    say(secret, accepted=True)
    assert matching.emitted(TherapistMatched) == []


def test_each_offer_has_a_link_of_its_own(matching: Matching, keys: Path, secret: str, page: Any, say: Any) -> None:
    matching.admit()
    say(secret, accepted=False, reason=DeclineReason.NO_ROOM)
    second = secret_of_last(matching, keys)
    assert second != secret
    assert (page(secret).state, page(second).state) == (LinkState.ANSWERED, LinkState.OPEN)


def test_a_secret_that_nobody_was_given_tells_nothing_and_does_nothing(
    matching: Matching, secret: str, page: Any, say: Any
) -> None:
    assert page("0" * 22) == OfferPage(state=LinkState.UNKNOWN)
    assert matching.ask(queries.open_offer, GetOfferLink(sealed="no jwe")) == OfferPage(state=LinkState.UNKNOWN)
    with pytest.raises(Invalid, match="no offer"):
        say("0" * 22, accepted=True)
    assert matching.emitted(TherapistMatched) == []
