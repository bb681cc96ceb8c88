"""A notifications service on a real store, with a letter box that keeps what is sent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as default_policy
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from chassis.ids import new_id
from chassis.ports import Timer, UnitOfWork
from chassis.privacy.sealing import Keyring, make_keys
from chassis.privacy.vault import Vault, new_master_key
from chassis.testing import DueTimer, HandlerBench
from contracts.commands.notifications import ListMessages, MessageView
from contracts.events.intake import ContactReleased
from contracts.events.matching import TherapistContactChanged
from contracts.reference import reference_for
from contracts.sealed import ClientContact, SafeChannel, SafeContact, SafeHours, TherapistContact
from contracts.vocabulary import AlertStep, ContactPurpose, ReferralId, TherapistId
from services.notifications.dependencies import Dependencies, read_templates
from services.notifications.gateways.email import Rejected
from services.notifications.gateways.outbound import OutboundMessage
from services.notifications.handlers import address_book, alerts, bounces, digests, queries, rota, sending
from services.notifications.settings import TEMPLATES, Gateway, Mailbox, NotificationsSettings, Person
from services.notifications.store import tables

MAX_ATTEMPTS = 8

SETTINGS = NotificationsSettings(
    mail="maildir:unused",
    smtp_username=None,
    smtp_password=None,
    smtp_timeout_seconds=5,
    sender=Mailbox("Leeward", "hello@leeward.example.org"),
    discreet_sender=Mailbox("Alex", "alex@example.org"),
    office=Mailbox("Office", "office@example.org"),
    telephone="01632 960001",
    discreet_telephone="01632 960002",
    safeguarding={
        AlertStep.DUTY_LEAD: Person("duty-lead@example.org"),
        AlertStep.DEPUTY: Person("deputy@example.org"),
        AlertStep.TRUSTEE: Person("trustee@example.org"),
    },
    rota_days_ahead=7,
    rota_looked_at=time(8),
    form_url="https://forms.example.org/f/",
    site_url="https://forms.example.org",
    status_url="https://forms.example.org/s",
    portal_url="https://portal.example.org",
    console_url="https://console.example.org",
    texts=Gateway("folder:unused", None, {}),
    letters=Gateway("folder:unused", None, {}),
    gateway_timeout_seconds=5,
    unreadable=Path("unused"),
    bounce_address="bounces@leeward.example.org",
    bounces=None,
    quiet_hours=None,
    client_limits=(),
    therapist_limits=(),
    digest_at=(),
    escalate_immediate=timedelta(minutes=15),
    escalate_urgent=timedelta(minutes=60),
    escalate_advisory_working_days=1,
    alert_link_lasts=timedelta(hours=72),
    introduction_lasts=timedelta(days=14),
    code_lasts=timedelta(minutes=10),
    codes_an_hour=3,
    known_lasts=timedelta(minutes=30),
    keep_closed_contacts=timedelta(days=365),
    templates=TEMPLATES,
    keys_folder=Path("unused"),
    master_key="unused",
)

WORDING = read_templates(SETTINGS)

EMAIL = SafeContact(channel=SafeChannel.EMAIL, email="robin@example.org", discreet=True)
OPEN_EMAIL = replace(EMAIL, discreet=False)
TELEPHONE = SafeContact(channel=SafeChannel.TELEPHONE, telephone="01632 960123")
TEXT = SafeContact(channel=SafeChannel.TEXT, telephone="07700 900123")
POST = SafeContact(channel=SafeChannel.POST, address="1 Invented Street")
CLIENT_CALLS = SafeContact(channel=SafeChannel.CLIENT_CALLS)
NO_ADDRESS = SafeContact(channel=SafeChannel.EMAIL)
EVENING = replace(EMAIL, hours=SafeHours.EVENING)
CLIENT_NAME, THERAPIST_NAME = "Robin Invented", "Sam Pretend"
THERAPIST_EMAIL = "sam.pretend@example.org"


@dataclass
class FakeMailer:
    """A mailer that collects what it is given. `down` makes it unreachable, `refuses` rejects for good."""

    sent: list[EmailMessage] = field(default_factory=list)
    down: bool = False
    refuses: set[str] = field(default_factory=set)

    def send(self, message: EmailMessage) -> None:
        if self.down:
            raise OSError("no way out")
        if message["To"] in self.refuses:
            raise Rejected("refused for good (550)")
        self.sent.append(message_from_bytes(bytes(message), policy=default_policy))

    def flush(self) -> None:
        """It forgets nothing anyway."""

    def to(self, address: str) -> list[EmailMessage]:
        return [message for message in self.sent if message["To"] == address]


@dataclass
class FakeProvider:
    """A provider of text messages or letters that collects what it is given, and fails in the same ways."""

    sent: list[OutboundMessage] = field(default_factory=list)
    down: bool = False
    refuses: set[str] = field(default_factory=set)

    def send(self, message: OutboundMessage) -> None:
        if self.down:
            raise OSError("no way out")
        if message.to in self.refuses:
            raise Rejected("refused for good (422)")
        self.sent.append(message)


TIMERS: dict[Callable[..., None], str] = {
    alerts.record_alert_sent: "send_alert",
    digests.record_digest: "send_digest",
}


@dataclass
class Desk:
    """The service under test, and what others tell it."""

    bench: HandlerBench
    keyring: Keyring
    mail: FakeMailer
    texts: FakeProvider
    letters: FakeProvider
    attempts: dict[str, int] = field(default_factory=dict)

    def release(
        self,
        referral_id: ReferralId,
        contact: SafeContact = EMAIL,
        *,
        to: TherapistId | None = None,
        sequence: int | None = None,
        language: str = "en",
    ) -> None:
        event = self.released(referral_id, contact, to=to, language=language)
        self.bench.hear(address_book.record_contact, event, sequence=sequence)

    def released(
        self,
        referral_id: ReferralId,
        contact: SafeContact = EMAIL,
        *,
        to: TherapistId | None = None,
        language: str = "en",
    ) -> ContactReleased:
        client = ClientContact(
            referral_id=referral_id,
            reference=reference_for(referral_id),
            name=CLIENT_NAME,
            language=language,
            contact=contact,
        )
        purpose = ContactPurpose.INTRODUCTION if to else ContactPurpose.ADDRESS_BOOK
        sealed = self.keyring.seal("notifications", client)
        return ContactReleased(referral_id=referral_id, purpose=purpose, therapist_id=to, sealed=sealed)

    def admit(self, therapist_id: TherapistId, *, email: str = THERAPIST_EMAIL, sequence: int | None = None) -> None:
        event = self.contact_changed(therapist_id, email=email)
        self.bench.hear(address_book.record_therapist_contact, event, sequence=sequence)

    def contact_changed(self, therapist_id: TherapistId, *, email: str = THERAPIST_EMAIL) -> TherapistContactChanged:
        contact = TherapistContact(name=THERAPIST_NAME, email=email, telephone="07700 900321")
        sealed = self.keyring.seal("notifications", contact)
        return TherapistContactChanged(therapist_id=therapist_id, sealed=sealed)

    def run(self) -> None:
        """Does everything that is due now, as the schedule would."""
        ordinary = self._effect(sending.deliver, sending.record_sent, sending.record_failed)
        alert = self._effect(sending.deliver, alerts.record_alert_sent, alerts.record_alert_failed)
        timers = {
            "send_message": ordinary,
            "send_alert": alert,
            "escalate_alert": alerts.escalate_alert,
            "shout": alerts.report_unreached,
            "look_at_rota": rota.check_rota,
            "forget_client": address_book.forget_client,
            "take_back": bounces.fail_undelivered_later,
            "send_digest": self._effect(digests.send_digest, digests.record_digest, digests.record_digest_failed),
            "read_bounces": self._effect(bounces.read_bounces, bounces.record_bounces, bounces.read_bounces_later),
        }
        while self.bench.fire_due(timers):
            pass

    def timer(self, name: str) -> DueTimer:
        """The one timer of this name that is set."""
        table = self.bench.database.tables.timer
        with self.bench.database.reading() as unit:
            row = unit.session.execute(select(table).where(table.c.name == name)).one()
        return DueTimer(row.key, row.due_at, row.data, row.attempts)

    def pass_time(self, **by: float) -> None:
        self.bench.clock.advance(timedelta(**by))
        self.run()

    def messages(self, referral_id: ReferralId) -> list[MessageView]:
        found: list[MessageView] = self.bench.ask(queries.list_messages, ListMessages(referral_id=referral_id))
        return found

    def states(self, referral_id: ReferralId) -> dict[str, str]:
        return {message.template: message.state for message in self.messages(referral_id)}

    def _effect(
        self,
        act: Callable[[UnitOfWork[Any], Timer], Any],
        record: Callable[[UnitOfWork[Any], Timer, Any], None],
        failed: Callable[[UnitOfWork[Any], Timer], None],
    ) -> Callable[[UnitOfWork[Any], Timer], None]:
        def perform(unit: UnitOfWork[Any], timer: Timer) -> None:
            try:
                with self.bench.database.reading() as reading:
                    outcome = act(reading, timer)
            except OSError:
                self.attempts[timer.key] = self.attempts.get(timer.key, 0) + 1
                if self.attempts[timer.key] < MAX_ATTEMPTS:
                    name = TIMERS.get(record, "send_message")
                    unit.set_timer(name, timer.key, unit.now + timedelta(minutes=1))
                else:
                    failed(unit, timer)
            else:
                record(unit, timer, outcome)

        return perform


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys")
    make_keys(folder, "notifications")
    return folder


@pytest.fixture
def database_file(tmp_path: Path) -> Path:
    return tmp_path / "notifications.db"


@pytest.fixture
def desk(keys: Path, database_file: Path) -> Desk:
    return desk_on(f"sqlite:///{database_file}", keys)


def desk_on(url: str, keys: Path, *, by_hand: bool = False, **policy: Any) -> Desk:
    """A service on this database, with a policy that differs from SETTINGS in what is named.

    `by_hand`: there is no gateway for text messages or letters.
    """
    mail, texts, letters = FakeMailer(), FakeProvider(), FakeProvider()
    dependencies = Dependencies(
        settings=replace(SETTINGS, **policy),
        keyring=Keyring(keys, reader="notifications"),
        vault=Vault(tables.data_keys, new_master_key()),
        mailer=mail,
        templates=WORDING,
        texts=None if by_hand else texts,
        letters=None if by_hand else letters,
    )
    bench = HandlerBench("notifications", tables.metadata, dependencies=dependencies, url=url)
    return Desk(bench, dependencies.keyring, mail, texts, letters)


@pytest.fixture
def referral_id() -> ReferralId:
    return ReferralId(new_id())


@pytest.fixture
def therapist_id() -> TherapistId:
    return TherapistId(new_id())


def body(message: EmailMessage) -> str:
    """The text of an e-mail on one line, so that a test need not know where it wraps."""
    return " ".join(plain(message).split())


def plain(message: EmailMessage) -> str:
    part = message.get_body(("plain",))
    assert part
    text: str = part.get_content()
    return text


MONDAY_10 = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
