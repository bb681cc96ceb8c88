"""Delivery receipts of providers: a text message or letter that never arrived is handled as bounced e-mail is."""

from __future__ import annotations

from chassis.host.webhooks import Post, Posted
from chassis.ports import UnitOfWork
from contracts.vocabulary import Channel, MessageId
from services.notifications.application.bounces import fail_undelivered
from services.notifications.dependencies import Dependencies
from services.notifications.gateways.receipts import Receipt, check_sender, read_receipts


def receipts_for(channel: Channel) -> Post:
    """The webhook of this channel's provider, which can report about no other channel's messages."""

    def read(dependencies: Dependencies, posted: Posted) -> list[Receipt]:
        gateways = {Channel.TEXT: dependencies.settings.texts, Channel.LETTER: dependencies.settings.letters}
        reporting = gateways[channel].receipts
        check_sender(reporting, posted)
        return read_receipts(reporting, posted.body, aside=dependencies.settings.unreadable)

    def take(unit: UnitOfWork[Dependencies], receipt: Receipt) -> None:
        fail_undelivered(unit, MessageId(receipt.message_id), [channel])

    return Post(read, take)
