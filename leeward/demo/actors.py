"""Plays the people of the demonstration: assessor, therapists, clients and duty lead act by commands and messages.

Every choice is drawn at random from the seed and what the choice is about, so that a run can be repeated.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from email import message_from_bytes
from email.policy import default as email_policy
from pathlib import Path
from typing import Any

from chassis.privacy.sealing import Keyring
from chassis.rpc import CommandFailed, RpcClient
from contracts.commands.evaluation import FormPage
from contracts.sealed import Answer, Aspects, Credentials, EvaluationForm, LinkSecret
from contracts.vocabulary import LinkState
from web.publisher.publisher import Publisher

PLAYED = "demonstration"
"""Who is on record for what these people do."""
WEEKS_OF_THERAPY = 3
_TOKEN = re.compile(r"https?://\S+/(?P<token>[A-Za-z0-9_-]{20,100})$", re.MULTILINE)


@dataclass(frozen=True)
class Shares:
    """The share of cases, from 0 to 1, in which somebody does something other than the usual."""

    signposted: float = 0.03
    withdrawn: float = 0.04
    declined: float = 0.12
    ignored: float = 0.08
    forms_returned: float = 0.7
    therapy_ended: float = 0.4
    client_unhappy: float = 0.05
    higher_risk: float = 0.3


class SeededRandom:
    """Random numbers that are the same in every run with the same seed, whatever order they are drawn in."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def of(self, about: object, what: str) -> random.Random:
        """The generator for one decision (`what`) about one thing, such as a reference."""
        return random.Random(f"{self._seed}|{what}|{about}")

    def happens(self, about: object, what: str, share: float) -> bool:
        """Whether this decision falls into `share` of all cases."""
        return self.of(about, what).random() < share


@dataclass
class Client:
    """Somebody who has asked for help. `will_withdraw_at` names the moment of the run when they withdraw, if any."""

    reference: str
    passphrase: str
    will_withdraw_at: str | None
    has_withdrawn: bool = False


@dataclass
class Actors:
    """Everybody who acts. Each method does all that waits for these people and returns how many things they did."""

    amqp_uri: str
    client: RpcClient
    """Gives the commands of staff and therapists."""
    site: RpcClient
    """Asks what the public site asks."""
    publisher: Publisher
    keyring: Keyring
    seeded_random: SeededRandom
    shares: Shares
    mail: Path
    clients: dict[str, Client] = field(default_factory=dict)
    signposted: set[str] = field(default_factory=set)
    ignored_offers: set[str] = field(default_factory=set)
    read_mail: set[str] = field(default_factory=set)
    tokens: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Skips the mail of an earlier run in the same folder, which was answered then."""
        self.read_mail |= {path.name for path in (self.mail / "new").glob("*")}

    def assess(self) -> int:
        """The assessor assesses every request that waits for it."""
        waiting = self.client.call("intake", "awaiting_assessment", limit=1000)
        for referral in waiting:
            with suppress(CommandFailed):  # withdrawn a moment ago
                self._assess(referral)
        return len(waiting)

    def answer_offers(self) -> int:
        """Therapists accept or decline what they were offered, or ignore it."""
        offers = self.client.call("matching", "offers", limit=1000)
        new = [offer for offer in offers if offer["offer_id"] not in self.ignored_offers]
        for offer in new:
            self._answer(offer)
        return len(new)

    def withdraw(self, moment: str) -> int:
        """Clients who were drawn to withdraw at this moment of the run do so."""
        remaining = [client for client in self.clients.values() if not client.has_withdrawn]
        withdrawing = [client for client in remaining if client.will_withdraw_at == moment]
        for client in withdrawing:
            self.publisher.withdraw(Credentials(reference=client.reference, passphrase=client.passphrase))
            client.has_withdrawn = True
        return len(withdrawing)

    def acknowledge_alerts(self) -> int:
        """The duty lead takes every concern in hand."""
        alerts = self.client.call("notifications", "alerts", limit=1000)
        for alert in alerts:
            self.client.call("notifications", "acknowledge_alert", concern_id=alert["concern_id"])
        return len(alerts)

    def return_forms(self) -> int:
        """Clients and therapists fill in the forms that they were sent a link to."""
        returned = 0
        for token in self._new_links():
            if self.seeded_random.happens(token, "returns", self.shares.forms_returned):
                form = self._fill_in(token)
                if form is not None:
                    self.publisher.return_evaluation(form)
                    returned += 1
        return returned

    def end_therapies(self, matches: list[dict[str, Any]]) -> int:
        """Some therapies end; a few clients want another therapist."""
        ended = 0
        for match in matches:
            reason = self._reason_to_end(match["referral_id"])
            if reason:
                self.client.call("matching", "end_match", match_id=match["match_id"], reason=reason)
                ended += 1
        return ended

    def attend_sessions(self, referral_id: str, on: date) -> int:
        """Records weekly sessions up to a day for a client with a subsidy, each of which draws it down."""
        subsidy = self.client.call("billing", "subsidy_of", referral_id=referral_id)
        award = subsidy.get("award")
        if not award or award["state"] != "held":
            return 0
        sessions: int = min(WEEKS_OF_THERAPY, award["sessions"] - award["sessions_used"])
        days = [(on - timedelta(weeks=week)).isoformat() for week in range(sessions)]
        paid = [day for day in days if day >= award["starts_on"]]
        for day in paid:
            self.client.call("billing", "draw_down", award_id=award["award_id"], attended_on=day)
        return len(paid)

    def pay_invoices(self, therapist_id: str) -> int:
        """A therapist pays what is owed."""
        account = self.client.call("billing", "therapist_account", therapist_id=therapist_id)
        owed = [invoice for invoice in account["invoices"] if invoice["outstanding_pence"] > 0]
        for invoice in owed:
            self.client.call(
                "billing",
                "record_payment",
                invoice_id=invoice["invoice_id"],
                amount_pence=invoice["outstanding_pence"],
                reference="demonstration",
            )
        return len(owed)

    def _assess(self, waiting: dict[str, Any]) -> None:
        reference, referral_id = waiting["reference"], waiting["referral_id"]
        if waiting["needs_safeguarding_lead"]:
            self.client.call("intake", "sign_off", referral_id=referral_id)
        if self.seeded_random.happens(reference, "signposted", self.shares.signposted):
            self.client.call("intake", "signpost", referral_id=referral_id, reason="other_service_fits_better")
            self.signposted.add(reference)
            return
        higher = self.seeded_random.happens(reference, "risk", self.shares.higher_risk)
        family = waiting["client_group"] == "family"
        couple = family and self.seeded_random.happens(reference, "couple", 0.3)
        self.client.call(
            "intake",
            "assess",
            referral_id=referral_id,
            risk_level="higher" if higher else "lower",
            competence="higher" if higher and not family else "lower",
            work="couple" if couple else "partner" if family else "individual",
            aspects=self.keyring.seal("intake", Aspects(social="Assessed in the demonstration.")),
        )

    def _answer(self, offer: dict[str, Any]) -> None:
        drawn = self.seeded_random.of(f"{offer['referral_id']}{offer['therapist_id']}", "answer").random()
        parties = {"offer_id": offer["offer_id"], "therapist_id": offer["therapist_id"]}
        if drawn < self.shares.ignored:
            self.ignored_offers.add(offer["offer_id"])
            return
        with suppress(CommandFailed):  # the offer was withdrawn a moment ago
            if drawn < self.shares.ignored + self.shares.declined:
                self.client.call("matching", "decline_offer", **parties, reason="outside_experience")
            else:
                self.client.call("matching", "accept_offer", **parties)

    def _reason_to_end(self, referral_id: str) -> str | None:
        drawn = self.seeded_random.of(referral_id, "ends").random()
        if drawn < self.shares.client_unhappy:
            return "client_unhappy"
        return "completed" if drawn < self.shares.therapy_ended else None

    def _new_links(self) -> Iterator[str]:
        for path in sorted((self.mail / "new").glob("*")):
            if path.name not in self.read_mail:
                self.read_mail.add(path.name)
                found = _TOKEN.search(_text_of(path))
                if found and found["token"] not in self.tokens:  # an e-mail may arrive twice
                    self.tokens.add(found["token"])
                    yield found["token"]

    def _fill_in(self, token: str) -> EvaluationForm | None:
        """The form with answers drawn at random; the score that they give means nothing.

        None if the link opens no form, or a form without questions.
        """
        sealed = self.keyring.seal("evaluation", LinkSecret(token=token))
        form = FormPage.from_json(self.site.call("evaluation", "open_form", sealed=sealed))
        if form.state is not LinkState.OPEN or not form.items:
            return None
        mood = self.seeded_random.of(token, "answers").random()
        answers = (
            Answer(item=item.code, value=item.choices[round(mood * (len(item.choices) - 1))].value)
            for item in form.items
        )
        return EvaluationForm(token=token, answers=tuple(answers))


def _text_of(path: Path) -> str:
    body = message_from_bytes(path.read_bytes(), policy=email_policy).get_body(("plain",))
    return str(body.get_content()) if body else ""
