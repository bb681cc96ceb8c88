"""One request for help, all the way, with every service as its own process on a real broker."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from typer.testing import CliRunner

from contracts.catalogue import PUBLISHERS
from contracts.events.intake import ReferralReceived
from contracts.london import LONDON
from contracts.vocabulary import TherapistId, TherapyReport
from leeward.cli import app
from tests.support.bus import Tap, eventually
from tests.support.introduction import Visitor
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
        therapist = Visitor(story)
        assert therapist.read() is None
        assert therapist.type(therapist.code_by_telephone())
        client = therapist.read()
        assert client is not None
        assert (client.name, client.contact and client.contact.email) == ("Robin Example", address)
        assert address not in therapist.letter
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
        match = story.accept()
        story.heard("ReferralFeeCharged")
        story.heard("SubsidyAssigned")
        before = fund_of(system, award["fund_id"])
        assert before["committed_pence"] >= 30_00
        story.withdraw()
        story.heard("MatchEnded", reason="withdrawn")
        story.heard("AttendanceUnrecorded")
        assert match["match_id"] in [one["match_id"] for one in json.loads(office(system, "list", "--json"))]
        assert "never came" in office(system, "never", match["match_id"])
        assert match["match_id"] not in office(system, "list")
        story.heard("SubsidyReleased", reason="match_ended")
        story.heard("ReferralFeeCredited", reason="not_attended")
        assert story.standing() == "withdrawn"
        balance = system.rpc.call("billing", "trial_balance")
        assert balance["is_balanced"]


def test_a_match_without_a_first_session_stands_in_the_office_s_queue_with_whether_contact_was_made(
    system: System,
) -> None:
    with Tap(system.amqp_uri, PUBLISHERS) as tap:
        story = Story(system, tap)
        story.admit_therapist()
        story.ask_for_help()
        story.assess()
        matched = story.accept()
        therapist = Visitor(story)
        assert therapist.type(therapist.code_by_telephone())
        day = datetime.fromisoformat(matched["matched_at"]).astimezone(LONDON).date()
        therapist.say(TherapyReport.CONTACT_MADE, on=day)
        story.heard("TherapyReportAccepted", what="contact_made")
        eventually(lambda: therapist.look().contact_made_on == day, "the page says so")
        system.advance(timedelta(days=31))
        story.heard("AttendanceUnrecorded")
        (row,) = [one for one in json.loads(office(system, "list", "--json")) if one["match_id"] == matched["match_id"]]
        assert row["contact_made_on"] == day.isoformat()
        narrow = office(system, "list", columns="60")
        assert all(row[name] in narrow for name in ("match_id", "referral_id", "therapist_id"))
        said = office(system, "attended", matched["match_id"], "--on", day.isoformat())
        assert "on record" in said
        assert matched["match_id"] not in office(system, "list")


def office(system: System, *arguments: str, columns: str = "240") -> str:
    """What `leeward attendance` prints to a person of the office."""
    command = ["attendance", *arguments, "--var", str(system.workspace.folder)]
    done = CliRunner().invoke(app, command, env={"AMQP_URI": system.amqp_uri, "COLUMNS": columns})
    assert done.exit_code == 0, done.output
    return done.stdout


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
        system.rpc.call("notifications", "acknowledge_alert", concern_id=concern["concern_id"])
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
        story.ask_for_help(subsidy_requested=False, fee_ceiling_pence=1_00)
        story.assess()
        eventually(
            lambda: system.rpc.call("matching", "standing", referral_id=story.referral_id)["state"] == "waiting",
            "the referral is on the waiting list",
        )
        system.advance(timedelta(days=14))
        # Therapists of the other tests may be there, who cost too much.
        assert story.heard("MatchingStalled")["reason"] in ("nobody_trained", "nobody_affordable")
        story.admit_therapist(session_fee_pence=1_00, places=20)  # others may wait for longer
        story.heard("TherapistOffered")


def test_the_schema_of_what_was_received_is_the_published_one(system: System) -> None:
    with Tap(system.amqp_uri, PUBLISHERS) as tap:
        story = Story(system, tap)
        story.ask_for_help()
        assert ReferralReceived.from_json(story.heard("ReferralReceived")).language == story.language
