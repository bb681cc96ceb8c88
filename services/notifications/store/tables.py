"""Notifications' tables and how its aggregates are kept in them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    ColumnElement,
    Date,
    Integer,
    LargeBinary,
    Select,
    String,
    Table,
    Text,
    Uuid,
    and_,
    bindparam,
    case,
    func,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, registry

from chassis.store import identity_map
from chassis.store.append_only import forbid_changes, forbidding, forbidding_replacement
from chassis.store.prepared import prepared
from chassis.store.tables import Instant, code, data_key_table, new_metadata
from contracts.vocabulary import (
    AlertStep,
    Channel,
    ConcernCategory,
    ConcernId,
    ConcernOutcome,
    DutyId,
    FailureReason,
    MessageId,
    ReferralId,
    Severity,
    StaffId,
    TherapistId,
)
from services.notifications.domain.alert_links import AlertLink
from services.notifications.domain.alerts import TIME_TO_REACH, Alert, Outcome
from services.notifications.domain.messages import Message, State
from services.notifications.domain.people import Client, Therapist
from services.notifications.domain.rota import Duty, Leave, Staff
from services.notifications.domain.templates import TO_ONE_CONTACT, Recipient, Template

metadata = new_metadata()
mapper = registry(metadata=metadata)
data_keys = data_key_table(metadata)

clients = Table(
    "client",
    metadata,
    Column("referral_id", Uuid, primary_key=True),
    Column("contact", LargeBinary),
    Column("contact_sequence", Integer, nullable=False),
    Column("withdrawn_at", Instant),
    Column("removed_at", Instant),
    Column("standing_sequence", Integer, nullable=False, server_default="0"),
    Column("keep_until", Instant),
)

therapists = Table(
    "therapist",
    metadata,
    Column("therapist_id", Uuid, primary_key=True),
    Column("contact", LargeBinary, nullable=False),
    Column("contact_sequence", Integer, nullable=False),
)

messages = Table(
    "message",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("business_key", String(160), nullable=False, unique=True),
    Column("template", code(Template), nullable=False),
    Column("recipient", code(Recipient), nullable=False),
    Column("channel", code(Channel), nullable=False),
    Column("state", code(State), nullable=False),
    Column("data", JSON, nullable=False),
    Column("sealed", Text),
    Column("referral_id", Uuid, index=True),
    Column("therapist_id", Uuid, index=True),
    Column("concern_id", Uuid, index=True),
    Column("queued_at", Instant, nullable=False),
    Column("settled_at", Instant),
    Column("failure", code(FailureReason)),
    Column("wording", String(64)),
)

alerts = Table(
    "alert",
    metadata,
    Column("concern_id", Uuid, primary_key=True),
    Column("referral_id", Uuid, nullable=False, index=True),
    Column("severity", code(Severity), nullable=False),
    Column("category", code(ConcernCategory), nullable=False),
    Column("raised_at", Instant, nullable=False),
    Column("step", code(AlertStep), nullable=False),
    Column("rounds", Integer, nullable=False),
    Column("escalates_at", Instant),
    Column("reached_at", Instant),
    Column("acknowledged_by", String(120)),
    Column("acknowledged_at", Instant, index=True),
)

alert_links = Table(
    "alert_link",
    metadata,
    Column("token_hash", LargeBinary(32), primary_key=True),
    Column("message_id", Uuid, nullable=False, unique=True),
    Column("concern_id", Uuid, nullable=False),
    Column("step", code(AlertStep), nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("sent_at", Instant),
    Column("staff_id", Uuid),
)

outcomes = Table(
    "concern_outcome",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("concern_id", Uuid, nullable=False, index=True),
    Column("outcome", code(ConcernOutcome), nullable=False),
    Column("decided_by", String(120), nullable=False),
    Column("decided_at", Instant, nullable=False),
    Column("reason", LargeBinary, nullable=False),
)
WHY_OUTCOMES_STAY = "outcomes of concerns are only ever added"
OUTCOMES_FORBIDDING = forbidding("concern_outcome", WHY_OUTCOMES_STAY)
OUTCOMES_FORBIDDING_REPLACEMENT = forbidding_replacement("concern_outcome", WHY_OUTCOMES_STAY, ("id",))
forbid_changes(outcomes, OUTCOMES_FORBIDDING, OUTCOMES_FORBIDDING_REPLACEMENT)

staff = Table(
    "staff",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("contact", LargeBinary, nullable=False),
)

duties = Table(
    "duty",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("staff_id", Uuid, nullable=False),
    Column("step", code(AlertStep), nullable=False),
    Column("starts_on", Date, nullable=False),
    Column("ends_on", Date, nullable=False, index=True),
    Column("bank_holidays", Boolean, nullable=False),
)

leave = Table(
    "leave",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("staff_id", Uuid, nullable=False),
    Column("starts_on", Date, nullable=False),
    Column("ends_on", Date, nullable=False, index=True),
)

latest_facts = Table(
    "latest_fact",
    metadata,
    Column("subject_id", Uuid, primary_key=True),
    Column("topic", String(64), primary_key=True),
    Column("sequence", Integer, nullable=False),
)
"""How far each subject's standing on a topic is told, so that an older fact that comes late is dropped."""

mapper.map_imperatively(Client, clients)
mapper.map_imperatively(AlertLink, alert_links)
mapper.map_imperatively(Therapist, therapists)
mapper.map_imperatively(Message, messages)
mapper.map_imperatively(Alert, alerts)
mapper.map_imperatively(Staff, staff)

# What is asked for with every message is asked past the ORM, by statements that are made once.
_CLIENT = prepared(select(clients).where(clients.c.referral_id == bindparam("id")).with_for_update())
_THERAPIST = prepared(
    select(therapists.c.therapist_id).where(therapists.c.therapist_id == bindparam("id")).with_for_update()
)
_QUEUED_ABOUT = prepared(
    select(Message)
    .where(messages.c.referral_id == bindparam("id"), messages.c.state == State.QUEUED)
    .order_by(messages.c.id)
    .with_for_update()
)
_INSERTS: Mapping[str, Any] = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}
_ADD_MESSAGE = {
    dialect: prepared(insert(messages).on_conflict_do_nothing(index_elements=["business_key"]).returning(messages.c.id))
    for dialect, insert in _INSERTS.items()
}


def _move_on(statement: Any) -> Any:
    moving = statement.on_conflict_do_update(
        index_elements=["subject_id", "topic"],
        set_={"sequence": statement.excluded.sequence},
        where=latest_facts.c.sequence < statement.excluded.sequence,
    )
    return prepared(moving.returning(latest_facts.c.sequence))


_MOVE_ON = {dialect: _move_on(insert(latest_facts)) for dialect, insert in _INSERTS.items()}


def _sent_lately(recipient: Recipient, whose: ColumnElement[UUID]) -> Select[tuple[State, datetime]]:
    """What people do by hand is no message that disturbs anybody twice, nor is a code that somebody waits for; and what
    goes to a contact of its own disturbs nobody in the address book.
    """
    apart = [messages.c.template != one for one in (Template.CLIENT_CODE, *sorted(TO_ONE_CONTACT))]
    gone = and_(messages.c.state == State.SENT, messages.c.settled_at > bindparam("since"))
    ahead = and_(messages.c.state == State.QUEUED, messages.c.id < bindparam("id"))
    to_whom = and_(whose == bindparam("who"), messages.c.recipient == recipient)
    by_itself = and_(messages.c.channel != Channel.STAFF_CALL, *apart)
    return prepared(select(messages.c.state, messages.c.settled_at).where(to_whom, by_itself, gone | ahead))


_SENT_LATELY = {
    Recipient.CLIENT: _sent_lately(Recipient.CLIENT, messages.c.referral_id),
    Recipient.WRITER: _sent_lately(Recipient.WRITER, messages.c.referral_id),
    Recipient.THERAPIST: _sent_lately(Recipient.THERAPIST, messages.c.therapist_id),
}


class NoSuchMessage(LookupError):
    """There is no message of this identity."""


class NoSuchStaff(LookupError):
    """There is nobody of this identity on the staff."""


class NoSuchAlert(LookupError):
    """There is no alert about this concern."""


def add_message(session: Session, message: Message) -> bool:
    """Writes a new message. False, and nothing is written, if there is one of this fact."""
    row = {column.name: getattr(message, column.name) for column in messages.columns}
    added = session.execute(_ADD_MESSAGE[session.get_bind().dialect.name], row)
    return added.scalar() is not None


def get_message(session: Session, message_id: MessageId) -> Message:
    """Raises NoSuchMessage."""
    message = find_message(session, message_id)
    if message is None:
        raise NoSuchMessage(f"there is no message {message_id}")
    return message


def find_message(session: Session, message_id: MessageId) -> Message | None:
    return identity_map.lock(session, Message, message_id)


def read_message(session: Session, message_id: MessageId) -> Message | None:
    """Without a lock, for the while that a message takes to go out."""
    return identity_map.find(session, Message, message_id)


def read_ahead(session: Session, message_ids: Collection[MessageId]) -> Sequence[object]:
    """Messages, and whom they go to or are about. As long as they are kept the session asks for none of them again."""
    wanted = (
        select(Message, Client, Therapist)
        .outerjoin(clients, clients.c.referral_id == messages.c.referral_id)
        .outerjoin(therapists, therapists.c.therapist_id == messages.c.therapist_id)
        .where(messages.c.id.in_(message_ids))
    )
    return session.execute(wanted).all()


def lock_messages(session: Session, message_ids: Collection[MessageId]) -> Sequence[Message]:
    """Messages, locked: what `find_message` then needn't ask for."""
    return identity_map.lock_all(session, Message, message_ids)


def waiting_for_digest(session: Session, *, limit: int) -> list[Message]:
    """The office's messages that can wait and have not gone, the oldest first."""
    can_wait = [template for template in Template if template.can_wait]
    wanted = select(Message).where(messages.c.state == State.QUEUED, messages.c.template.in_(can_wait))
    return list(session.execute(wanted.order_by(messages.c.id).limit(limit)).scalars())


def sent_lately(session: Session, message: Message, *, since: datetime) -> tuple[list[datetime], int]:
    """When messages went to this one's recipient, and how many of them are queued ahead of it."""
    asked = message.recipient.asked
    values = {"who": message.referral_id if asked else message.therapist_id, "since": since, "id": message.id}
    found = session.execute(_SENT_LATELY[message.recipient], values).all()
    sent = [row.settled_at for row in found if row.state is State.SENT]
    return sent, len(found) - len(sent)


def find_message_by_key(session: Session, business_key: str) -> Message | None:
    wanted = select(Message).where(messages.c.business_key == business_key).with_for_update()
    return session.execute(wanted).scalar_one_or_none()


def queued_about_referral(session: Session, referral_id: ReferralId) -> list[Message]:
    return list(session.execute(_QUEUED_ABOUT, {"id": referral_id}).scalars())


def queued_about_concern(session: Session, concern_id: ConcernId) -> list[Message]:
    wanted = select(Message).where(messages.c.concern_id == concern_id, messages.c.state == State.QUEUED)
    return list(session.execute(wanted.order_by(messages.c.id).with_for_update()).scalars())


def messages_about(
    session: Session, *, referral_id: ReferralId | None, concern_id: ConcernId | None, limit: int
) -> list[Message]:
    """The oldest first."""
    wanted = select(Message).order_by(messages.c.queued_at, messages.c.id).limit(limit)
    if referral_id is not None:
        wanted = wanted.where(messages.c.referral_id == referral_id)
    if concern_id is not None:
        wanted = wanted.where(messages.c.concern_id == concern_id)
    return list(session.execute(wanted).scalars())


def find_client(session: Session, referral_id: ReferralId) -> Client | None:
    return identity_map.lock(session, Client, referral_id)


def client_as_known(session: Session, referral_id: ReferralId) -> Client | None:
    """The client, locked, for looking at: what is changed in it is not kept."""
    session.flush()
    row = session.execute(_CLIENT, {"id": referral_id}).one_or_none()
    return Client(**row._mapping) if row else None


def read_client(session: Session, referral_id: ReferralId) -> Client | None:
    """Without a lock."""
    return identity_map.find(session, Client, referral_id)


def client_of(session: Session, referral_id: ReferralId) -> Client:
    """The client of a referral; a new one, without an address, if nothing was known of them."""
    client = find_client(session, referral_id)
    if client is None:
        client = Client(referral_id=referral_id)
        session.add(client)
    return client


def find_therapist(session: Session, therapist_id: TherapistId) -> Therapist | None:
    return identity_map.lock(session, Therapist, therapist_id)


def knows_therapist(session: Session, therapist_id: TherapistId) -> bool:
    session.flush()
    return session.execute(_THERAPIST, {"id": therapist_id}).one_or_none() is not None


def read_therapist(session: Session, therapist_id: TherapistId) -> Therapist | None:
    """Without a lock."""
    return identity_map.find(session, Therapist, therapist_id)


def get_alert(session: Session, concern_id: ConcernId) -> Alert:
    """Raises NoSuchAlert."""
    alert = find_alert(session, concern_id)
    if alert is None:
        raise NoSuchAlert(f"there is no alert about concern {concern_id}")
    return alert


def find_alert(session: Session, concern_id: ConcernId) -> Alert | None:
    return identity_map.lock(session, Alert, concern_id)


def find_alert_link(session: Session, token_hash: bytes) -> AlertLink | None:
    return session.get(AlertLink, token_hash)


def find_link_of_message(session: Session, message_id: MessageId) -> AlertLink | None:
    wanted = select(AlertLink).where(alert_links.c.message_id == message_id)
    return session.execute(wanted).scalar_one_or_none()


def list_alerts(session: Session, *, acknowledged_too: bool, limit: int) -> list[Alert]:
    """The gravest first, and of these the oldest."""
    gravity = case({one.value: place for place, one in enumerate(Severity)}, value=alerts.c.severity)
    wanted = select(Alert).order_by(gravity, alerts.c.raised_at, alerts.c.concern_id).limit(limit)
    if not acknowledged_too:
        wanted = wanted.where(alerts.c.acknowledged_at.is_(None))
    return list(session.execute(wanted).scalars())


def messages_of_call(session: Session, message: Message) -> list[Message]:
    """An alert's messages to one person in one round, by whatever channels."""
    wanted = select(Message).where(
        messages.c.concern_id == message.concern_id, messages.c.recipient == message.recipient
    )
    found = session.execute(wanted.order_by(messages.c.id).with_for_update()).scalars()
    return [one for one in found if one.data.get("round", 0) == message.data.get("round", 0)]


def reached_somebody(session: Session, concern_id: ConcernId) -> bool:
    """Whether any message of an alert went out and has not come back."""
    sent = select(messages.c.id).where(messages.c.concern_id == concern_id, messages.c.state == State.SENT)
    session.flush()
    return session.execute(sent.limit(1)).first() is not None


def count_unreached(session: Session, at: datetime) -> int:
    """How many alerts have reached nobody though it is high time, also if a clock that was ahead hides since when."""
    nobody = and_(alerts.c.acknowledged_at.is_(None), alerts.c.reached_at.is_(None))
    late = (alerts.c.raised_at <= at - TIME_TO_REACH) | (alerts.c.raised_at > at + TIME_TO_REACH)
    wanted = select(func.count()).select_from(alerts).where(nobody, late)
    return session.execute(wanted).scalar_one()


def add_outcome(session: Session, outcome: Outcome) -> None:
    session.execute(outcomes.insert().values(**asdict(outcome)))


def outcomes_of(session: Session, concern_id: ConcernId) -> list[Outcome]:
    """The earliest first."""
    wanted = select(outcomes).where(outcomes.c.concern_id == concern_id)
    found = session.execute(wanted.order_by(outcomes.c.decided_at, outcomes.c.id))
    return [Outcome(**row._mapping) for row in found]


def find_staff(session: Session, staff_id: StaffId) -> Staff | None:
    return identity_map.lock(session, Staff, staff_id)


def find_new_staff(session: Session, staff_id: StaffId) -> Staff | None:
    """As `find_staff`; if there is nobody, nobody else keeps them until the unit ends."""
    identity_map.lock_key(session, Staff, staff_id)
    return find_staff(session, staff_id)


def get_staff(session: Session, staff_id: StaffId) -> Staff:
    """Raises NoSuchStaff."""
    found = identity_map.find(session, Staff, staff_id)
    if found is None:
        raise NoSuchStaff(f"there is nobody {staff_id} on the staff")
    return found


def add_duty(session: Session, duty: Duty) -> None:
    session.execute(duties.insert().values(**asdict(duty)))


def remove_duty(session: Session, duty_id: DutyId) -> bool:
    """False if there was no such duty."""
    removed = session.execute(duties.delete().where(duties.c.id == duty_id).returning(duties.c.id))
    return removed.first() is not None


def add_leave(session: Session, id: UUID, one: Leave) -> None:
    session.execute(leave.insert().values(id=id, **asdict(one)))


def rota_from(session: Session, day: date) -> tuple[list[Duty], list[Leave]]:
    """All turns and all leave that are not over before a day."""
    turns = session.execute(select(duties).where(duties.c.ends_on >= day))
    away = session.execute(select(leave.c.staff_id, leave.c.starts_on, leave.c.ends_on).where(leave.c.ends_on >= day))
    return [Duty(**row._mapping) for row in turns], [Leave(**row._mapping) for row in away]


def moves_on(session: Session, subject_id: UUID, topic: str, sequence: int) -> bool:
    """Records a fact's sequence number. False if this fact or a newer one was recorded on the topic before."""
    fact = {"subject_id": subject_id, "topic": topic, "sequence": sequence}
    return session.execute(_MOVE_ON[session.get_bind().dialect.name], fact).scalar() is not None
