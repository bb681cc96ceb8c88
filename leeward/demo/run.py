"""The demonstration: requests for help go through every service, over a real broker, to the end of therapy."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import cycle
from typing import Any

from chassis.bus.permissions import ENQUIRY
from chassis.privacy.sealing import Keyring
from chassis.rpc import CommandFailed, RpcClient
from contracts.london import day_of
from contracts.sealed import HelpSubmission
from leeward.console.operator import sign_as_operator
from leeward.demo.actors import PLAYED, WEEKS_OF_THERAPY, Actors, Client, SeededRandom, Shares
from leeward.demo.funds import sample_funds
from leeward.demo.therapists import admission, directory
from leeward.demo.verify import Verification, verify
from leeward.errors import Refusal
from leeward.runtime.health import status_of
from leeward.runtime.workspace import Workspace
from web.publisher.publisher import Publisher

SETTLE_SECONDS = 300
POLL_SECONDS = 0.2
OFFER_EXPIRES_AFTER = timedelta(days=5)
"""An offer expires after two working days; this is longer, whatever weekends and holidays lie in between."""

STALLED_AFTER = timedelta(days=14)
WITHDRAW_EARLY, WITHDRAW_LATE = "before the assessment", "after the match"

Say = Callable[[str], None]


class NeverSettled(Refusal):
    """The services were still busy after SETTLE_SECONDS; the message says with what."""


@dataclass(frozen=True)
class Report:
    """What a run did and how long it took."""

    referrals: int
    seconds: float
    verification: Verification

    @property
    def went_well(self) -> bool:
        return not self.verification.problems

    def as_json(self) -> dict[str, Any]:
        return {
            "referrals": self.referrals,
            "seconds": round(self.seconds, 1),
            "went_well": self.went_well,
            "requests": dict(self.verification.requests),
            "problems": self.verification.problems,
            "trial_balance": self.verification.trial_balance,
            "evaluation": self.verification.evaluation,
        }


LEFT: tuple[tuple[str, dict[str, Any]], ...] = (
    ("", {}),
    ("take_up", {}),
    ("hold", {"reason": "information_awaited"}),
    ("raise_concern", {"severity": "urgent", "category": "risk_to_self"}),
)
"""What is done with the requests that are left to people, one after the other; nothing with the first."""


class Demonstration:
    """One run on a workspace whose services are up."""

    def __init__(
        self, workspace: Workspace, amqp_uri: str, *, seed: int, say: Say, meanwhile: Callable[[], object] = list
    ) -> None:
        """`meanwhile` is called regularly while the run waits for services to settle."""
        self._workspace = workspace
        self._amqp_uri = amqp_uri
        self._seed = seed
        self._say = say
        self._meanwhile = meanwhile
        self._started = time.monotonic()
        keyring = Keyring(workspace.keys)
        self.actors = Actors(
            amqp_uri=amqp_uri,
            client=RpcClient(amqp_uri, sign=sign_as_operator(workspace, PLAYED)),
            site=RpcClient(amqp_uri, ENQUIRY),
            publisher=Publisher(amqp_uri, keys=workspace.keys, spool=workspace.spool),
            keyring=keyring,
            seeded_random=SeededRandom(seed),
            shares=Shares(),
            mail=workspace.mail,
        )

    def run(self, requests: Iterable[HelpSubmission]) -> Report:
        """Takes every request as far as it can go, advancing the clock where people take days. Raises NeverSettled."""
        self.prepare()
        self.publish(requests)
        self.settle("Assessing, offering, matching")
        return self.finish()

    def finish(self) -> Report:
        """The second half of `run`: expiry, therapy, the waiting list and the checks. Raises NeverSettled."""
        self.wait_for_expiry()
        self.play_therapy()
        self._move_clock(STALLED_AFTER, "Two weeks pass, and who still waits is pointed out to a person")
        self.settle("The last letters go out")
        verification = verify(self.actors)
        return Report(len(self.actors.clients), time.monotonic() - self._started, verification)

    def prepare(self) -> None:
        """Admits the sample therapists and opens the sample funds, where that was not done before."""
        therapists = directory(seed=self._seed)
        self._say(f"{len(therapists)} therapists are admitted and two funds opened")
        for therapist in therapists:
            contact = self.actors.keyring.seal("notifications", therapist.contact)
            self.actors.client.call("matching", "admit_therapist", **admission(therapist, contact).to_json())
        if not self.actors.client.call("billing", "funds"):
            for fund in sample_funds(day_of(self._workspace.clock.now())):
                self.actors.client.call("billing", "open_fund", **fund.to_json())

    def publish(self, requests: Iterable[HelpSubmission]) -> None:
        """Sends the requests as a web front-end does."""
        for submission in requests:
            receipt = self.actors.publisher.request_help(submission)
            assert receipt.reference is not None
            moment = self._moment_of_withdrawal(receipt.reference)
            self.actors.clients[receipt.reference] = Client(receipt.reference, submission.passphrase, moment)
        self.actors.withdraw(WITHDRAW_EARLY)
        self._say(f"{len(self.actors.clients)} requests for help are sent")

    def settle(self, what: str) -> None:
        """Lets everybody act until nothing is left to do and every service is idle. Raises NeverSettled.

        `what` is printed first. Idle has to be seen twice, because a message may be between two services.
        """
        self._say(what)
        deadline = time.monotonic() + SETTLE_SECONDS
        quiet = 0
        while quiet < 2:
            acted = self.act()
            self._meanwhile()
            states = status_of(self._amqp_uri)
            quiet = quiet + 1 if not acted and all(state.idle for state in states) else 0
            if time.monotonic() > deadline:
                raise NeverSettled("; ".join(str(state) for state in states if not state.idle) or "people")
            if not acted:
                time.sleep(POLL_SECONDS)

    def leave_work(self, requests: Iterable[HelpSubmission]) -> None:
        """Sends some more requests and leaves them to whoever looks on: new, taken up, on hold, one with a concern,
        one that may be spam, and two that may be one person's."""
        for submission in _two_odd_ones(requests):
            self.actors.publisher.request_help(submission)
        self._say("A few more requests are left for you to take up, on the staff's pages")
        while not all(state.idle for state in status_of(self._amqp_uri)):
            self._meanwhile()
            time.sleep(POLL_SECONDS)
        client = self.actors.client
        waiting = client.call("intake", "awaiting_assessment", limit=len(LEFT) * 3)
        for referral, (step, fields) in zip(waiting, cycle(LEFT), strict=False):
            if step:
                with suppress(CommandFailed):  # a young person's waits for the safeguarding lead
                    client.call("intake", step, referral_id=referral["referral_id"], **fields)

    def act(self) -> int:
        """Everybody does all that waits for them; returns how many things they did."""
        actors = self.actors
        return actors.assess() + actors.answer_offers() + actors.acknowledge_alerts() + actors.return_forms()

    def wait_for_expiry(self) -> None:
        """Advances the clock until no unanswered offer is left."""
        while self.actors.client.call("matching", "offers", limit=1):
            self._move_clock(OFFER_EXPIRES_AFTER, "Unanswered offers run out, and the next best are asked")
            self.settle("Offering again")

    def play_therapy(self) -> None:
        """Sessions are attended and paid, invoices too, some therapies end, some clients change their mind."""
        standings = self._standings()
        self._move_clock(timedelta(weeks=WEEKS_OF_THERAPY), "Three weeks of therapy pass")
        today = day_of(self._workspace.clock.now())
        for standing in standings:
            self.actors.attend_sessions(standing["referral_id"], today)
        for therapist_id in sorted({standing["therapist_id"] for standing in standings}):
            self.actors.pay_invoices(therapist_id)
        self.actors.withdraw(WITHDRAW_LATE)
        self.settle("Sessions are attended, invoices paid, a few requests taken back")
        self.actors.end_therapies(self._standings())
        self.settle("Some therapies end")
        self.wait_for_expiry()

    def _standings(self) -> list[dict[str, Any]]:
        """Matching's view of every request that has a therapist."""
        client = self.actors.client
        found = (client.call("intake", "find_referral", reference=reference) for reference in self.actors.clients)
        standings = (client.call("matching", "standing", referral_id=referral["referral_id"]) for referral in found)
        return [standing for standing in standings if standing["state"] == "matched"]

    def _moment_of_withdrawal(self, reference: str) -> str | None:
        drawn = self.actors.seeded_random.of(reference, "withdraws").random()
        share = self.actors.shares.withdrawn
        if drawn >= share:
            return None
        return WITHDRAW_EARLY if drawn < share / 2 else WITHDRAW_LATE

    def _move_clock(self, by: timedelta, what: str) -> None:
        self._say(what)
        self._workspace.clock.advance(by)


def _two_odd_ones(requests: Iterable[HelpSubmission]) -> list[HelpSubmission]:
    """The first looks as if a machine had written it, and the last is reached where another one is, too."""
    first, *rest, last = requests
    same = next((one.contact for one in rest if one.contact and one.contact.email), last.contact)
    return [replace(first, suspected=("too_fast",)), *rest, replace(last, contact=same)]


def seed_from_time() -> int:
    """A seed for a run that need not be repeated."""
    return int(datetime.now(UTC).timestamp())
