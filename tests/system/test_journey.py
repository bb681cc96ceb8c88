"""One request for help, all the way, with every service as its own process on a real broker."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

from contracts.catalogue import PUBLISHERS
from contracts.events.intake import ReferralReceived
from contracts.vocabulary import TherapistId
from tests.support.bus import Tap, eventually
from tests.support.samples import PASSPHRASE, submission
from tests.support.story import Story, open_fund, return_form
from tests.support.system import System


def test_a_request_goes_all_the_way(system: System) -> None:
    address = f"client-{uuid4()}@example.org"
    contact = submission().contact
    with Tap(system.amqp_uri, PUBLISHERS) as tap:
        story = Story(system, tap)
        story.admit_therapist()
        story.ask_for_help(contact=type(contact)(channel=contact.channel, email=address))
        assert story.standing() == "received"
        story.assess()
        assert story.heard("TherapistOffered")["therapist_id"] == str(story.therapist_id)
        matched = story.accept()
        assert story.heard("ReferralFeeCharged")["match_id"] == matched["match_id"]
        assert story.heard("MembershipStarted")["amount_pence"] == 50_00
        for respondent in ("client", "therapist"):
            assert story.heard("EvaluationInvited", respondent=respondent)["stage"] == "start"
        eventually(lambda: story.standing() == "matched", "the client is told")
        assert "Robin Example" in story.letter_to(f"{story.therapist_id}@example.org", address)
        return_form(story, address)
        submitted = story.heard("EvaluationSubmitted", respondent="client")
        assert 0 <= submitted["score"] <= 40
        assert_nothing_personal(tap, ["Robin", address, "planted words", PASSPHRASE, "NP20 4UR"])


def assert_nothing_personal(tap: Tap, planted: list[str]) -> None:
    tap.listen(0.5)
    for heard in tap.heard:
        on_the_wire = heard.body.decode() + str(heard.headers)
        assert not [words for words in planted if words in on_the_wire], heard.name


def test_a_subsidy_is_committed_and_a_withdrawal_gives_it_back(system: System) -> None:
    with Tap(system.amqp_uri, PUBLISHERS) as tap:
        story = Story(system, tap)
        open_fund(system)
        story.admit_therapist()
        story.ask_for_help(subsidy_requested=True, fee_ceiling_pence=30_00)
        story.assess()
        award = story.heard("SubsidyApproved")
        story.accept()
        story.heard("ReferralFeeCharged")
        before = fund_of(system, award["fund_id"])
        assert before["committed_pence"] >= 30_00
        story.withdraw()
        story.heard("SubsidyReleased", reason="withdrawn")
        story.heard("ReferralFeeCredited")
        story.heard("MatchEnded", reason="withdrawn")
        assert story.standing() == "withdrawn"
        balance = system.rpc.call("billing", "trial_balance")
        assert balance["is_balanced"]


def fund_of(system: System, fund_id: str) -> dict[str, Any]:
    funds: list[dict[str, Any]] = system.rpc.call("billing", "funds")
    return next(fund for fund in funds if fund["fund_id"] == fund_id)


def test_a_person_at_risk_is_alerted_about_until_somebody_answers_for_it(system: System) -> None:
    with Tap(system.amqp_uri, PUBLISHERS) as tap:
        story = Story(system, tap)
        story.ask_for_help(identifiable_person_at_risk=True)
        concern = story.heard("SafeguardingConcernRaised")
        assert concern["severity"] == "immediate"
        story.heard("SafeguardingAlertSent", step="duty_lead")
        system.advance(timedelta(minutes=16))
        story.heard("SafeguardingAlertEscalated", step="deputy")
        story.heard("SafeguardingAlertSent", step="deputy")
        system.rpc.call(
            "notifications", "acknowledge_alert", concern_id=concern["concern_id"], acknowledged_by="D. Lead"
        )
        story.heard("SafeguardingAlertAcknowledged")
        assert story.receipt.reference

        def is_on_record() -> bool:
            found = system.rpc.call("intake", "find_referral", reference=story.receipt.reference)
            return any(one.get("acknowledged_at") for one in found["concerns"])

        eventually(is_on_record, "the acknowledgement is on record at intake")


def test_an_offer_that_nobody_answers_goes_to_the_next_best(system: System) -> None:
    with Tap(system.amqp_uri, PUBLISHERS) as tap:
        story = Story(system, tap)
        first = story.therapist_id
        story.admit_therapist(outward_code="NP20")
        story.ask_for_help()
        story.assess()
        story.heard("TherapistOffered", therapist_id=str(first))
        story.therapist_id = TherapistId(uuid4())
        story.admit_therapist(outward_code="CF10")
        system.advance(timedelta(days=5))
        story.heard("OfferExpired", therapist_id=str(first))
        story.heard("TherapistOffered", therapist_id=str(story.therapist_id))


def test_referrals_are_not_lost_sight_of_while_they_wait(system: System) -> None:
    with Tap(system.amqp_uri, PUBLISHERS) as tap:
        story = Story(system, tap)
        story.ask_for_help()
        story.assess()
        eventually(
            lambda: system.rpc.call("matching", "standing", referral_id=story.referral_id)["state"] == "waiting",
            "the referral is on the waiting list",
        )
        system.advance(timedelta(days=14))
        assert story.heard("MatchingStalled")["reason"] == "nobody_trained"
        story.admit_therapist()
        story.heard("TherapistOffered")


def test_the_schema_of_what_was_received_is_the_published_one(system: System) -> None:
    with Tap(system.amqp_uri, PUBLISHERS) as tap:
        story = Story(system, tap)
        story.ask_for_help()
        assert ReferralReceived.from_json(story.heard("ReferralReceived")).language == story.language
