"""A client and a therapist on a running system, and the sentences that tests are written in."""

from __future__ import annotations

import re
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as email_policy
from string import ascii_lowercase
from typing import Any
from uuid import uuid4

from contracts.commands.matching import AdmitTherapist
from contracts.sealed import Answer, Aspects, ClientChange, Credentials, EvaluationForm, TherapistContact
from contracts.vocabulary import ClientGroup, ClientStep, Competence, Sessions, Sex, TherapistId
from tests.support.bus import Tap, eventually
from tests.support.people import sign_as
from tests.support.samples import PASSPHRASE, submission
from tests.support.system import System
from web.publisher.publisher import Receipt


class Story:
    """One client and one therapist, far from every other test's: each story speaks a language of its own."""

    languages = (f"q{a}{b}" for a in ascii_lowercase[:20] for b in ascii_lowercase)
    """The codes that ISO 639 leaves to local use, qaa to qtz: one run needs more than a hundred."""

    def __init__(self, system: System, tap: Tap) -> None:
        self.system, self.tap = system, tap
        self.language = next(self.languages)
        self.therapist_id = TherapistId(uuid4())
        self.receipt: Receipt
        self.referral_id = ""

    def admit_therapist(self, *, telephone: str | None = None, **changes: Any) -> None:
        contact = TherapistContact(name="Thea Example", email=f"{self.therapist_id}@example.org", telephone=telephone)
        stated: dict[str, Any] = {
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
        spoken: dict[str, Any] = {"therapy_language": self.language, "therapy_language_must": True}
        self.receipt = self.system.publisher.request_help(submission(language=self.language, **(spoken | changes)))
        assert self.receipt.delivered
        came = str(self.receipt.submission_id)
        received = self.tap.wait_for("ReferralReceived", lambda one: one.headers["correlationid"] == came)
        self.referral_id = received.data["referral_id"]

    def assess(self, by: str = "sam", **changes: Any) -> None:
        self.system.rpc.call(
            "intake",
            "assess",
            sign=sign_as(self.system.workspace.keys, by),
            **{
                "referral_id": self.referral_id,
                "risk_level": "lower",
                "competence": "lower",
                "work": "individual",
                "aspects": self.system.keyring.seal("intake", Aspects(social="planted words about the client")),
            }
            | changes,
        )

    def take_in_hand(self) -> None:
        """A person of the charity acknowledges what the request has raised."""
        concern = self.heard("SafeguardingConcernRaised")["concern_id"]
        self.system.rpc.call("notifications", "acknowledge_alert", concern_id=concern)

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
        answer = self.system.site_rpc.call("intake", "status", sealed=self.system.keyring.seal("intake", credentials))
        standing: str | None = answer.get("standing")
        return standing

    def withdraw(self) -> None:
        assert self.receipt.reference
        self.system.publisher.withdraw(Credentials(reference=self.receipt.reference, passphrase=PASSPHRASE))
        self.heard("ReferralWithdrawn")

    def change(self, step: ClientStep, **said: Any) -> None:
        """The client does something about it themselves, on the status page."""
        assert self.receipt.reference
        change = ClientChange(reference=self.receipt.reference, passphrase=PASSPHRASE, step=step, **said)
        self.system.site_rpc.call("intake", "change_by_client", sealed=self.system.keyring.seal("intake", change))

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


def return_form(story: Story, address: str, *, highest: bool = False) -> None:
    """Follows the link in the client's letter, and answers all alike. The form has no wording, as a charity without a
    licence has none, so that its questions are asked after by the invitation.
    """
    link = re.search(r"/form/(\S+)", story.letter_to(address, "/form/"))
    assert link
    call = story.system.rpc.call
    invited = call("evaluation", "invitations", referral_id=story.referral_id)
    (of_client,) = [one for one in invited if one["respondent"] == "client" and one["state"] == "open"]
    form = call("evaluation", "show_form", invitation_id=of_client["invitation_id"])
    place = -1 if highest else 0
    answers = tuple(Answer(item=one["code"], value=one["choices"][place]["value"]) for one in form["items"])
    story.system.publisher.return_evaluation(EvaluationForm(token=link[1], answers=answers))


def open_fund(system: System) -> None:
    """Once for each system."""
    name = "A fund for a test"
    if any(fund["name"] == name for fund in system.rpc.call("billing", "funds")):
        return
    terms = [{"purpose": "therapy", "client_groups": ["at_risk"], "police_force_areas": ["gwent"]}]
    system.rpc.call(
        "billing",
        "open_fund",
        name=name,
        amount_pence=5_500_00,
        terms=terms,
        starts_on="2026-01-01",
        ends_on="2036-01-01",
        session_cap_pence=40_00,
        sessions_per_award=10,
    )
