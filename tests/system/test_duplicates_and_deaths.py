"""Nothing is done twice and nothing is lost: a demonstration in which services are killed, and then all of it again."""

from __future__ import annotations

import hashlib
import random
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import MetaData, create_engine, select

from chassis.bus.permissions import ENQUIRY
from chassis.host.entrypoints import heard_by, idempotent_by
from chassis.host.service_loader import load
from chassis.privacy.ephemeral_key import OneTimeKey
from chassis.privacy.sealing import Keyring
from chassis.rpc import CommandFailed, NoAnswer, RpcClient
from contracts.accounts import AccountId, StaffMatter
from contracts.catalogue import PUBLISHERS, events
from contracts.envelope import Envelope, source_of, to_headers
from contracts.events.accounts import LetterTested, StaffInvited, StaffTold
from contracts.london import day_of
from contracts.sealed import (
    AlertAnswer,
    HelpSubmission,
    OfferAnswer,
    OutcomeReason,
    SafeChannel,
    SafeContact,
    StaffLetter,
)
from contracts.vocabulary import ClientGroup, ClientStep, HelpKind, TherapistId, TherapyReport
from leeward.demo.requests import sample_requests
from leeward.demo.run import Demonstration, Report
from leeward.runtime.health import status_of
from leeward.runtime.local_broker import Node
from leeward.runtime.workspace import SERVICES
from tests.conftest import STORES
from tests.support.bus import Heard, Sender, Tap, eventually
from tests.support.introduction import Visitor
from tests.support.people import sign_as
from tests.support.samples import consents, submission
from tests.support.story import Story, open_fund, return_form
from tests.support.system import System, whole_system

REQUESTS = 40
SEED = 11
SECONDS_BETWEEN_KILLS = 2.0
PATIENCE_SECONDS = 60.0
REMEMBERS_FOR_YEARS = {"LEEWARD_INBOX_RETENTION_DAYS": "3650"}
"""More than a year passes by the services' clock before everything is delivered again."""


class PatientClient(RpcClient):
    """Asks again when nobody answers, as a person presses the button again: the same command, under its own id."""

    def call(self, service: str, method: str, *, timeout: float = 3.0, **fields: Any) -> Any:
        deadline, command_id = time.monotonic() + PATIENCE_SECONDS, uuid4()
        while True:
            try:
                return super().call(service, method, timeout=timeout, command_id=command_id, **fields)
            except NoAnswer:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)


class Killer(threading.Thread):
    """Kills a service every now and then, SIGKILL, and has it started again."""

    def __init__(self, system: System) -> None:
        super().__init__(daemon=True)
        self._system = system
        self._enough = threading.Event()
        self.killed: list[str] = []

    def run(self) -> None:
        victims = random.Random(SEED)
        while not self._enough.wait(SECONDS_BETWEEN_KILLS):
            service = SERVICES[len(self.killed)] if len(self.killed) < len(SERVICES) else victims.choice(SERVICES)
            self._system.kill(service)
            self.killed.append(service)
            eventually(lambda: not self._system.supervisor.restart_ended(), "everything runs again")

    def stop(self) -> None:
        """Ends it, once every service has had its turn."""
        eventually(lambda: set(self.killed) == set(SERVICES), "each service was killed", 60)
        self._enough.set()
        self.join()
        eventually(lambda: not self._system.supervisor.restart_ended(), "everything runs again")


@dataclass
class Aftermath:
    """A system on which a demonstration has run while services were killed, and every message that was heard."""

    system: System
    report: Report
    killed: list[str]
    heard: list[Heard]


@pytest.fixture(scope="module", params=STORES)
def aftermath(
    request: pytest.FixtureRequest, node: Node, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Aftermath]:
    server = request.getfixturevalue("postgresql_server") if request.param == "postgresql" else None
    folder = tmp_path_factory.mktemp(f"deaths-{request.param}")
    with (
        whole_system(
            node, folder, name=f"deaths_{request.param}", server=server, settings=REMEMBERS_FOR_YEARS
        ) as system,
        Tap(system.amqp_uri, PUBLISHERS) as tap,
    ):
        demonstration = Demonstration(system.workspace, system.amqp_uri, seed=SEED, say=lambda what: None)
        sign = sign_as(system.workspace.keys)
        demonstration.actors.client = PatientClient(system.amqp_uri, sign=sign)
        demonstration.actors.site = PatientClient(system.amqp_uri, ENQUIRY)
        demonstration.prepare()
        killer = Killer(system)
        killer.start()
        try:
            demonstration.publish(sample_requests(REQUESTS, SEED))
            demonstration.settle("under fire")
        finally:
            killer.stop()
        report = demonstration.finish()
        provoke_the_rest(system, tap)
        tap.listen(1.0)
        yield Aftermath(system, report, killer.killed, tap.heard)


@pytest.mark.timeout(600)
def test_killed_services_lose_nothing(aftermath: Aftermath) -> None:
    assert set(aftermath.killed) == set(SERVICES), "each service was killed at least once"
    assert aftermath.report.verification.problems == []
    assert aftermath.report.referrals == REQUESTS
    assert sum(aftermath.report.verification.requests.values()) == REQUESTS


def test_every_event_there_is_was_heard(aftermath: Aftermath) -> None:
    heard = {one.name for one in aftermath.heard}
    assert {event.__name__ for event in events()} - heard == set()


@pytest.mark.timeout(300)
def test_a_second_delivery_of_every_event_changes_nothing(aftermath: Aftermath) -> None:
    system = aftermath.system
    before = fingerprints(system)
    with Tap(system.amqp_uri, PUBLISHERS) as tap, Sender(system.amqp_uri) as sender:
        for one in aftermath.heard:
            sender.send(one.exchange, one.name, one.body, message_id=one.message_id, headers=one.headers)
        eventually(lambda: all(state.idle for state in status_of(system.amqp_uri)), "everything is handled", 120)
        tap.listen(1.0)
    assert fingerprints(system) == before
    assert len(tap.heard) == len(aftermath.heard), "nothing was said in answer to what had been heard before"


@pytest.mark.timeout(300)
def test_a_handler_that_is_safe_by_its_business_key_needs_no_inbox(aftermath: Aftermath) -> None:
    """All that such handlers heard comes once more under other ids, long after, as a replay might bring it."""
    system = aftermath.system
    before = without_memory(fingerprints(system))
    again = [copy for one in aftermath.heard for copy in copies_for_safe_handlers(one)]
    assert {(service, one.name) for service, _, one in again} == {
        (service, name) for service in SERVICES for _, name in idempotent_by(load(service))
    }
    with Tap(system.amqp_uri, PUBLISHERS) as tap, Sender(system.amqp_uri) as sender:
        for service, lane, one in again:
            id_ = str(uuid4())
            origin = {"leeward_exchange": one.exchange, "leeward_routing_key": one.name}
            headers = {**one.headers, **origin, "cloudEvents_id": id_}
            sender.send(f"{service}.return", f"{lane}.replay", one.body, message_id=id_, headers=headers)
        eventually(lambda: all(state.idle for state in status_of(system.amqp_uri)), "everything is handled", 120)
        tap.listen(1.0)
    assert without_memory(fingerprints(system)) == before
    assert tap.names() == []


def copies_for_safe_handlers(one: Heard) -> Iterator[tuple[str, str, Heard]]:
    """The service and the lane of every handler of this event that is declared safe."""
    for service in SERVICES:
        safe = idempotent_by(load(service))
        for lane, kinds in heard_by(load(service)).items():
            if any(kind.__name__ == one.name and (kind.publisher, one.name) in safe for kind in kinds):
                yield service, lane, one


def without_memory(found: dict[str, str]) -> dict[str, str]:
    """Every table but the ones that remember messages."""
    return {name: value for name, value in found.items() if not name.endswith(".inbox")}


def test_nothing_that_a_client_wrote_is_in_a_log_a_database_or_a_message(aftermath: Aftermath) -> None:
    planted = {words for request in sample_requests(REQUESTS, SEED) for words in personal(request)}
    assert len(planted) > 2 * REQUESTS
    places = {path.name: path.read_text() for path in (aftermath.system.workspace.folder / "log").iterdir()}
    for name, rows in tables(aftermath.system):
        places[name] = "\n".join(rows)
    places["messages"] = "\n".join(one.body.decode() + str(one.headers) for one in aftermath.heard)
    assert any("request_received" in text for text in places.values()), "what is there is found"
    found = {(place, len(words)) for place, text in places.items() for words in planted if words in text}
    assert found == set(), "named by place and length only"


def personal(request: HelpSubmission) -> Iterator[str]:
    """What nobody but intake and notifications may be able to read of a request, as far as it is telling by itself."""
    contact = request.contact
    for words in (contact.email, contact.telephone, contact.address, request.passphrase, request.concern):
        if words:
            yield words
    if request.name and " " in request.name:
        yield request.name


def fingerprints(system: System) -> dict[str, str]:
    """A hash of every table of every service."""
    return {name: hashlib.sha256("\n".join(rows).encode()).hexdigest() for name, rows in tables(system)}


def tables(system: System) -> Iterator[tuple[str, list[str]]]:
    """Every table of every service and its rows, read from the databases themselves."""
    for service, url in system.workspace.stores().items():
        engine, metadata = create_engine(url), MetaData()
        metadata.reflect(engine)
        with engine.connect() as connection:
            for table in metadata.sorted_tables:
                rows = connection.execute(select(table))
                yield f"{service}.{table.name}", sorted(repr(tuple(row)) for row in rows)
        engine.dispose()


def leave_erasure_unconfirmed(system: System, story: Story, who: dict[str, str]) -> None:
    """One service is away for longer than an erasure may take, and comes back."""
    story.ask_for_help()
    assert story.receipt.reference
    system.kill("evaluation")
    system.rpc.call("intake", "erase", reference=story.receipt.reference, **who)
    story.heard("ReferralErased")
    system.advance(timedelta(hours=25))
    story.heard("ErasureOverdue")
    eventually(lambda: not system.supervisor.restart_ended(), "it is started again")
    said = "evaluation.events"
    story.tap.wait_for(
        "ErasureConfirmed", lambda one: one.exchange == said and one.data["referral_id"] == story.referral_id
    )


def provoke_the_rest(system: System, tap: Tap) -> None:
    """What does not happen while everybody behaves."""
    elsewhere = Story(system, tap)
    elsewhere.ask_for_help()
    system.rpc.call(
        "intake",
        "signpost",
        referral_id=elsewhere.referral_id,
        reason="other_service_fits_better",
    )
    elsewhere.heard("ReferralSignposted")

    refused = Story(system, tap)
    system.publisher.request_help(submission(consents=consents(processing=False)))
    tap.wait_for("HelpRequestRefused")

    unheard = Story(system, tap)
    contact = SafeContact(channel=SafeChannel.EMAIL)
    unheard.ask_for_help(identifiable_person_at_risk=True, contact=contact)
    unheard.heard("MessageFailed")
    unheard.heard("SafeguardingAlertSent", step="duty_lead")
    system.advance(timedelta(minutes=16))
    concern = unheard.heard("SafeguardingAlertEscalated", step="deputy")["concern_id"]
    system.rpc.call("notifications", "acknowledge_alert", concern_id=concern)
    reason = Keyring(system.workspace.keys).seal("notifications", OutcomeReason(words="made up"))
    decided = {"outcome": "no_further_action", "reason": reason}
    system.rpc.call("notifications", "record_outcome", concern_id=concern, **decided)
    unheard.heard("SafeguardingOutcomeRecorded")

    changed_their_minds(system, tap)
    read_too_much(system, tap)
    give_an_account(system, tap)
    said_since(system, tap)
    never_answered(system, tap)
    answered_late(system, tap)
    waits_for_a_course(system, tap)
    unheard.heard("AssessmentOverdue")
    given_back(system, tap)

    hasty = Story(system, tap)
    hasty.admit_therapist()
    hasty.ask_for_help(subsidy_requested=True, fee_ceiling_pence=100_00)
    hasty.assess()
    hasty.heard("SubsidyDeclined")
    hasty.heard("TherapistOffered")
    hasty.withdraw()
    hasty.heard("OfferWithdrawn")

    troubled = Story(system, tap)
    troubled.admit_therapist()
    address = f"{refused.therapist_id}@example.org"
    troubled.ask_for_help(contact=SafeContact(channel=SafeChannel.EMAIL, email=address))
    troubled.assess()
    match = troubled.accept()
    return_form(troubled, address, highest=True)
    troubled.heard("EvaluationRiskFlagged")
    let_membership_lapse(system, troubled)
    troubled.withdraw()
    troubled.heard("AttendanceUnrecorded")
    take_truth_back(system, troubled, match)

    assert hasty.receipt.reference
    who = {"reason": "client_asked"}
    system.rpc.call("intake", "erase", reference=hasty.receipt.reference, **who)
    for service in set(SERVICES) - {"intake"}:
        tap.wait_for("ErasureConfirmed", lambda one, said=f"{service}.events": one.exchange == said)
    leave_erasure_unconfirmed(system, Story(system, tap), who)


def changed_their_minds(system: System, tap: Tap) -> None:
    """A referral waits and goes on, another is merged and un-merged, and the two are linked and unlinked."""

    def ask(command: str, said: str, **fields: str) -> dict[str, Any]:
        answer: dict[str, Any] = system.rpc.call("intake", command, **fields)
        heard = tap.wait_for(said, lambda one: one.data["referral_id"] == fields.get("referral_id", story.referral_id))
        return {**answer, **heard.data}

    story, other = Story(system, tap), Story(system, tap)
    story.ask_for_help()
    other.ask_for_help()
    ask("hold", "ReferralHeld", referral_id=story.referral_id, reason="information_awaited")
    ask("resume", "ReferralResumed", referral_id=story.referral_id, reason="information_came")
    pair = {"referral_id": story.referral_id, "into_referral_id": other.referral_id}
    ask("merge", "ReferralWithdrawn", **pair, reason="sent_twice")
    ask("unmerge", "ReferralReopened", referral_id=story.referral_id, reason="different_requests")
    pair = {"referral_id": story.referral_id, "other_referral_id": other.referral_id}
    linked = ask("link", "ReferralsLinked", **pair, kind="partner", reason="said_by_client")
    ask("unlink", "ReferralsUnlinked", link_id=linked["link_id"], reason="linked_in_error")
    tap.wait_for("ListChanged", lambda one: one.data["subject_id"] == story.referral_id)
    system.rpc.call("console", "assign", referral_id=story.referral_id, account_id=str(uuid4()))
    tap.wait_for("ReferralAssigned", lambda one: one.data["referral_id"] == story.referral_id)


def read_too_much(system: System, tap: Tap) -> None:
    """Somebody reads one record again and again, until they are stopped."""
    story, key = Story(system, tap), OneTimeKey()
    story.ask_for_help()
    asked = {"referral_id": story.referral_id, "reason": "assessment", "seal_to": key.public}
    with pytest.raises(CommandFailed, match="A lead has been told"):
        for _ in range(100):
            system.rpc.call("intake", "read_record", sign=sign_as(system.workspace.keys, "curious"), **asked)
    tap.wait_for("ReadingsStopped", lambda one: one.data["front_end"] == "console")


def give_an_account(system: System, tap: Tap) -> None:
    """What the console says when somebody is invited, which doesn't run here."""
    letter = StaffLetter(name="Sam Example", email="sam@example.org", link="http://localhost:8001/link/made-up")
    sealed, account_id = system.keyring.seal("notifications", letter), AccountId(uuid4())
    expires_at = datetime(2036, 1, 1, tzinfo=UTC)
    invited = StaffInvited(account_id=account_id, renews=False, expires_at=expires_at, sealed=sealed)
    matter = StaffMatter.ROLE_GRANTED
    told = StaffTold(notice_id=uuid4(), account_id=account_id, about_id=account_id, matter=matter, sealed=sealed)
    tested = LetterTested(test_id=uuid4(), account_id=account_id, sealed=sealed)
    with Sender(system.amqp_uri) as sender:
        for number, event in enumerate((invited, told, tested), start=1):
            envelope = Envelope(
                id=uuid4(),
                source=source_of("accounts"),
                type=type(event).__name__,
                time=datetime.now(UTC),
                subject=str(account_id),
                sequence=number,
            )
            headers = dict(to_headers(envelope))
            sender.send("accounts.events", type(event).__name__, event.to_json(), headers=headers)
            tap.wait_for(type(event).__name__)


def said_since(system: System, tap: Tap) -> None:
    """Somebody agrees later, links are followed, an end is taken back, and a fee changes."""
    open_fund(system)
    story = Story(system, tap)
    story.admit_therapist()
    needs_help = {"subsidy_requested": True, "fee_ceiling_pence": 30_00}
    story.ask_for_help(consents=consents(pass_to_therapist=False), identifiable_person_at_risk=True, **needs_help)
    concern = story.heard("SafeguardingConcernRaised")["concern_id"]
    system.publisher.answer_alert(AlertAnswer(token=secret_in(story.letter_to("duty-lead@", concern), "alert")))
    story.heard("SafeguardingAlertAcknowledged")
    story.assess()
    story.heard("AgreementAwaited")
    agreed = {"consent": "pass_to_therapist", "given": True, "told": "in_person"}
    system.rpc.call("intake", "record_consent", referral_id=story.referral_id, **agreed)
    letter = story.letter_to(f"{story.therapist_id}@example.org", "/offer/")
    system.publisher.answer_offer(OfferAnswer(token=secret_in(letter, "offer"), accepted=True))
    matched = story.heard("TherapistMatched")
    match_id = matched["match_id"]
    therapist = Visitor(story)
    assert therapist.type(therapist.code_by_telephone())
    therapist.say(TherapyReport.CONTACT_MADE, on=day_of(datetime.fromisoformat(matched["matched_at"])))
    story.heard("TherapyReportAccepted", what="contact_made")
    story.heard("EvaluationInvited")
    moved = SafeContact(channel=SafeChannel.EMAIL, email=f"moved-{story.language}@example.org")
    story.change(ClientStep.CHANGE_CONTACT, contact=moved)
    story.heard("ContactChangeNoted", stage="code_wanted")
    story.change(ClientStep.ASK_FOR_ANOTHER)
    story.heard("AnotherTherapistWanted")
    system.rpc.call("matching", "end_match", match_id=match_id, reason="completed")
    story.heard("EvaluationInvited", stage="end")
    undone = {"reason": "recorded_by_mistake"}
    system.rpc.call("matching", "undo_match_end", match_id=match_id, **undone)
    story.heard("MatchEndUndone")
    story.heard("SubsidyResumed")
    story.heard("EvaluationInvitationCancelled")
    changed = {"reason": "they_said", "session_fee_pence": 70_00}
    system.rpc.call("matching", "change_therapist", therapist_id=str(story.therapist_id), **changed)
    story.heard("TherapistFeeChanged")


def never_answered(system: System, tap: Tap) -> None:
    """Three offers in a row run out."""
    silent = Story(system, tap)
    silent.admit_therapist(places=3)
    for _ in range(3):
        story = Story(system, tap)
        story.language, story.therapist_id = silent.language, silent.therapist_id
        story.ask_for_help()
        story.assess()
        story.heard("TherapistOffered")
    system.advance(timedelta(days=5))
    silent.heard("TherapistNotAnswering")


def waits_for_a_course(system: System, tap: Tap) -> None:
    story = Story(system, tap)
    story.ask_for_help(client_group=ClientGroup.FAMILY, help_wanted=(HelpKind.FAMILY_COURSE,))
    story.assess()
    story.heard("ReferralHeld", reason="course_wanted")
    system.advance(timedelta(days=30))
    story.heard("CourseAwaited")


def secret_in(letter: str, kind: str) -> str:
    found = re.search(rf"/{kind}/([A-Za-z0-9_-]+)", letter)
    assert found
    return found[1]


def answered_late(system: System, tap: Tap) -> None:
    """One therapist declines, and the next lets the offer run out."""
    story = Story(system, tap)
    story.admit_therapist(outward_code="NP20")
    story.ask_for_help()
    story.assess()
    offered = story.heard("TherapistOffered")
    parties = {"offer_id": offered["offer_id"], "therapist_id": str(story.therapist_id)}
    system.rpc.call("matching", "decline_offer", **parties, reason="outside_experience")
    story.heard("OfferDeclined")
    story.therapist_id = TherapistId(uuid4())
    story.admit_therapist(outward_code="CF10")
    story.heard("TherapistOffered", therapist_id=str(story.therapist_id))
    system.advance(timedelta(days=5))
    story.heard("OfferExpired")


def given_back(system: System, tap: Tap) -> None:
    """A subsidy is committed and given back, and others wait for one; the fund is open already (`said_since`)."""
    story = Story(system, tap)
    story.ask_for_help(subsidy_requested=True, fee_ceiling_pence=30_00)
    story.assess()
    story.heard("SubsidyApproved")
    story.withdraw()
    story.heard("SubsidyReleased")
    for _ in range(4):  # more than the one fund without a restriction has awards for
        hopeful = Story(system, tap)
        hopeful.ask_for_help(postcode="SW1A 1AA", subsidy_requested=True, fee_ceiling_pence=0)
        hopeful.assess()
    tap.wait_for("SubsidyWaitlisted")


def take_truth_back(system: System, story: Story, match: dict[str, Any]) -> None:
    """A client never came, or did after all, and then not so; a payment comes and is returned."""
    billing = partial(system.rpc.call, "billing")
    billing("record_never_attended", match_id=match["match_id"])
    story.heard("ReferralFeeCredited")
    day = match["matched_at"][:10]
    session = billing("record_attendance", referral_id=match["referral_id"], attended_on=day)
    story.heard("ReferralFeeCreditReversed")
    who = {"reason": "did_not_take_place"}
    billing("reverse_session", session_id=session["session_id"], **who)
    story.heard("SessionReversed")
    account = billing("therapist_account", therapist_id=match["therapist_id"])
    paid = {"invoice_id": account["invoices"][0]["invoice_id"], "amount_pence": 30_50, "reference": "too much"}
    payment = billing("record_payment", **paid)
    who = {"reason": "returned_by_bank"}
    billing("reverse_payment", payment_id=payment["payment_id"], **who)
    story.heard("PaymentReversed")


def let_membership_lapse(system: System, story: Story) -> None:
    """A year passes, nobody pays, and then the therapist does."""
    story.heard("MembershipStarted")
    system.advance(timedelta(days=370))
    renewed = story.heard("MembershipRenewed")
    system.advance(timedelta(days=60))
    story.heard("MembershipReminded", invoice_id=renewed["invoice_id"])
    system.advance(timedelta(days=11))
    lapsed = story.heard("MembershipLapsed")
    story.heard("TherapistSuspended")
    account = system.rpc.call("billing", "therapist_account", therapist_id=str(story.therapist_id))
    for invoice in account["invoices"]:
        if invoice["outstanding_pence"] > 0:
            system.rpc.call(
                "billing",
                "record_payment",
                invoice_id=invoice["invoice_id"],
                amount_pence=invoice["outstanding_pence"],
                reference="late",
            )
    assert lapsed["invoice_id"]
    story.heard("MembershipRenewed")
    story.heard("TherapistReinstated")
