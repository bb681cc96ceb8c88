"""What gateways say later: a text message or a letter that never arrived is looked after as mail that came back is."""

from __future__ import annotations

from chassis.host.webhooks import Post, Posted
from chassis.ports import UnitOfWork
from contracts.vocabulary import Channel, MessageId
from services.notifications.application.bounces import fail_undelivered
from services.notifications.dependencies import Dependencies
from services.notifications.gateways.receipts import Receipt, check_sender, read_receipts


def receipts_for(channel: Channel) -> Post:
    """What the gateway of this channel may post. It says nothing of what went out by any other."""

    def read(dependencies: Dependencies, posted: Posted) -> list[Receipt]:
        gateways = {Channel.TEXT: dependencies.settings.texts, Channel.LETTER: dependencies.settings.letters}
        reporting = gateways[channel].receipts
        check_sender(reporting, posted)
        return read_receipts(reporting, posted.body, aside=dependencies.settings.unreadable)

    def take(unit: UnitOfWork[Dependencies], receipt: Receipt) -> None:
        fail_undelivered(unit, MessageId(receipt.message_id), [channel])

    return Post(read, take)
