"""Finds and stores messages."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    bindparam,
    select,
)
from sqlalchemy.orm import Session

from chassis.store import identity_map
from chassis.store.dialects import INSERTS
from chassis.store.prepared import prepared
from contracts.vocabulary import (
    Channel,
    ConcernId,
    MessageId,
    ReferralId,
)
from services.notifications.domain.messages import Message, State
from services.notifications.domain.people import Client, Therapist
from services.notifications.domain.templates import TO_ENCLOSED_CONTACT, Recipient, Template
from services.notifications.store.tables import clients, messages, therapists

# These are run for every message, so they are compiled once.
_QUEUED_ABOUT = prepared(
    select(Message)
    .where(messages.c.referral_id == bindparam("id"), messages.c.state == State.QUEUED)
    .order_by(messages.c.id)
    .with_for_update()
)

_ADD_MESSAGE = {
    dialect: prepared(insert(messages).on_conflict_do_nothing(index_elements=["business_key"]).returning(messages.c.id))
    for dialect, insert in INSERTS.items()
}


def _sent_lately(recipient: Recipient, whose: ColumnElement[UUID]) -> Select[tuple[State, datetime]]:
    """The messages that count towards a recipient's limits: those sent since, and those queued before this one.

    What people do by hand isn't counted, nor is a code that somebody waits for, nor what goes to an enclosed contact.
    """
    not_counted = (Template.CLIENT_CODE, *sorted(TO_ENCLOSED_CONTACT))
    apart = [messages.c.template != template for template in not_counted]
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
    """Without a lock, since sending takes a while."""
    return identity_map.find(session, Message, message_id)


def read_ahead(session: Session, message_ids: Collection[MessageId]) -> Sequence[object]:
    """Messages, with their clients and therapists. While the result is referenced, none is read again."""
    wanted = (
        select(Message, Client, Therapist)
        .outerjoin(clients, clients.c.referral_id == messages.c.referral_id)
        .outerjoin(therapists, therapists.c.therapist_id == messages.c.therapist_id)
        .where(messages.c.id.in_(message_ids))
    )
    return session.execute(wanted).all()


def about_concerns(session: Session, concern_ids: Collection[ConcernId]) -> dict[ConcernId, list[Message]]:
    """Every message about each of these concerns. Not locked."""
    by_concern: dict[ConcernId, list[Message]] = {concern_id: [] for concern_id in concern_ids}
    for message in session.scalars(select(Message).where(messages.c.concern_id.in_(concern_ids))):
        assert message.concern_id is not None
        by_concern[message.concern_id].append(message)
    return by_concern


def lock_messages(session: Session, message_ids: Collection[MessageId]) -> Sequence[Message]:
    """Locks messages, so that `find_message` need not read them again."""
    return identity_map.lock_all(session, Message, message_ids)


def waiting_for_digest(session: Session, *, limit: int) -> list[Message]:
    """The office's messages that can wait and have not gone, the oldest first."""
    can_wait = [template for template in Template if template.can_wait]
    wanted = select(Message).where(messages.c.state == State.QUEUED, messages.c.template.in_(can_wait))
    return list(session.execute(wanted.order_by(messages.c.id).limit(limit)).scalars())


def sent_lately(session: Session, message: Message, *, since: datetime) -> tuple[list[datetime], int]:
    """When messages went to this one's recipient, and how many of them are queued ahead of it."""
    asked = message.recipient.asked_for_help
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


def messages_of_call(session: Session, message: Message) -> list[Message]:
    """An alert's messages to one person in one round, by all channels."""
    wanted = select(Message).where(
        messages.c.concern_id == message.concern_id, messages.c.recipient == message.recipient
    )
    found = session.execute(wanted.order_by(messages.c.id).with_for_update()).scalars()
    return [same for same in found if same.data.get("round", 0) == message.data.get("round", 0)]


def reached_somebody(session: Session, concern_id: ConcernId) -> bool:
    """Whether any message of an alert went out and has not come back."""
    sent = select(messages.c.id).where(messages.c.concern_id == concern_id, messages.c.state == State.SENT)
    session.flush()
    return session.execute(sent.limit(1)).first() is not None
