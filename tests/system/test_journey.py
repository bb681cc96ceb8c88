"""One request for help, all the way, with every service as its own process on a real broker."""

from __future__ import annotations

import re
from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as email_policy
from typing import Any
from uuid import uuid4

from contracts.commands.matching import AdmitTherapist
from contracts.events.intake import ReferralReceived
from contracts.sealed import Answer, Aspects, Credentials, EvaluationForm, EvaluationLink, TherapistContact
from contracts.vocabulary import ClientGroup, Competence, Sessions, Sex, TherapistId
from tests.support.bus import Tap, eventually
from tests.support.samples import PASSPHRASE, submission
from tests.support.system import System
from web.publisher.publisher import Receipt

PUBLISHERS = ["web", "intake", "matching", "billing", "notifications", "evaluation"]


class Story:
    """One client and one therapist, far from every other test's: each story speaks a language of its own."""

    languages = (f"{a}{b}" for a in "qxz" for b in "abcdefghijklmnopqrstuvwxyz")

    def __init__(self, system: System, tap: Tap) -> None:
        self.system, self.tap = system, tap
        self.language = next(self.languages)
        self.therapist_id = TherapistId(uuid4())
        self.receipt: Receipt
        self.referral_id = ""

    def admit_therapist(self, **changes: Any) -> None:
        contact = TherapistContact(name="Thea Example", email=f"{self.therapist_id}@example.org")
        stated = {
            "therapist_id": self.therapist_id,
            "contact": self.system.keyring.seal("notifications", contact),
            "competence": Competence.HIGHER,
            "client_groups": tuple(ClientGroup),
            "couple_work": True,
            "outward_code": "NP19",
            "sessions": Sessions.EITHER,
            "languages": (self.language,),
            "session_fee_pence": 60_00,
            "sex": Sex.FEMALE,
            "wheelchair_access": True,
            "places": 2,
        }
        self.system.rpc.call("matching", "admit_therapist", **AdmitTherapist(**(stated | changes)).to_json())

    def ask_for_help(self, **changes: Any) -> None:
        self.receipt = self.system.publisher.request_help(submission(language=self.language, **changes))
        assert self.receipt.delivered
        came = str(self.receipt.submission_id)
        received = self.tap.wait_for("ReferralReceived", lambda one: one.headers["correlationid"] == came)
        self.referral_id = received.data["referral_id"]

    def assess(self, **changes: Any) -> None:
        self.system.rpc.call(
            "intake",
            "assess",
            **{
                "referral_id": self.referral_id,
                "assessor": "A. Sessor",
                "risk_level": "lower",
                "competence": "lower",
                "work": "individual",
                "aspects": self.system.keyring.seal("intake", Aspects(social="planted words about the client")),
            }
            | changes,
        )

    def heard(self, name: str, **fields: Any) -> dict[str, Any]:
        """The first event of this name about this referral, or about this therapist, with these fields."""
        about = (self.referral_id, str(self.therapist_id))

        def matches(one: Any) -> bool:
            belongs = one.data.get("referral_id") == about[0] or (
                "referral_id" not in one.data and one.data.get("therapist_id") == about[1]
            )
            return belongs and fields.items() <= one.data.items()

        return self.tap.wait_for(name, matches).data

    def accept(self) -> dict[str, Any]:
        offered = self.heard("TherapistOffered")
        self.system.rpc.call(
            "matching", "accept_offer", offer_id=offered["offer_id"], therapist_id=str(self.therapist_id)
        )
        return self.heard("TherapistMatched")

    def standing(self) -> str | None:
        assert self.receipt.reference
        credentials = Credentials(reference=self.receipt.reference, passphrase=PASSPHRASE)
        answer = self.system.rpc.call("intake", "status", sealed=self.system.keyring.seal("intake", credentials))
        standing: str | None = answer.get("standing")
        return standing

    def withdraw(self) -> None:
        assert self.receipt.reference
        self.system.publisher.withdraw(Credentials(reference=self.receipt.reference, passphrase=PASSPHRASE))
        self.heard("ReferralWithdrawn")

    def letters_to(self, address: str) -> list[EmailMessage]:
        new = (self.system.workspace.mail / "new").glob("*")
        read = (message_from_bytes(path.read_bytes(), policy=email_policy) for path in new)
        return [letter for letter in read if letter["To"] and address in letter["To"]]

    def letter_to(self, address: str, containing: str) -> str:
        def found() -> str | None:
            return next((body for body in map(text_of, self.letters_to(address)) if containing in body), None)

        body: str = eventually(found, f"a letter that contains {containing!r}")
        return body


def text_of(letter: EmailMessage) -> str:
    part = letter.get_body(("plain",))
    return str(part.get_content()) if part else ""


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


def return_form(story: Story, address: str) -> None:
    """Follows the link in the client's letter, as a front-end will."""
    letter = story.letter_to(address, "/form/")
    link = re.search(r"/form/(\S+)", letter)
    assert link
    keyring = story.system.keyring
    sealed = keyring.seal("evaluation", EvaluationLink(token=link[1]))
    form = story.system.rpc.call("evaluation", "form", sealed=sealed)
    answers = tuple(Answer(item=one["item"], value=one["lowest"]) for one in form["items"])
    story.system.publisher.return_evaluation(EvaluationForm(token=link[1], answers=answers))


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


def open_fund(system: System) -> None:
    terms = [{"purpose": "therapy", "client_groups": ["at_risk"], "police_force_areas": ["gwent"]}]
    system.rpc.call(
        "billing",
        "open_fund",
        name="A fund for a test",
        amount_pence=5_500_00,
        terms=terms,
        starts_on="2026-01-01",
        ends_on="2036-01-01",
        session_cap_pence=40_00,
        sessions_per_award=10,
    )


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
