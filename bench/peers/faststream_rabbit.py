"""FastStream on RabbitMQ, a subscriber and a publisher on quorum queues, ten messages in hand.

    python -m bench.peers.faststream_rabbit

Guarantee: row and event are not atomic: the message is acknowledged after the handler has returned and the event is
published, so killed in between it comes again and the event goes out at least once; a handler that raises rejects its
message, which is lost unless the queue has a dead-letter exchange. Published persistently and with a confirm each.
Duplicates: of the event yes, of the row no (unique key).
"""

from __future__ import annotations

import asyncio
import logging
import os
from typing import Any

from faststream import FastStream
from faststream.rabbit import Channel, QueueType, RabbitBroker, RabbitQueue

from bench.peers import job

broker = RabbitBroker(os.environ["AMQP_URI"], default_channel=Channel(prefetch_count=10), log_level=logging.DEBUG)
app = FastStream(broker)

noted = RabbitQueue("faststream.noted", queue_type=QueueType.QUORUM)
recorded = RabbitQueue("faststream.recorded", queue_type=QueueType.QUORUM)


@broker.subscriber(noted)
@broker.publisher(recorded, persist=True)
async def record(data: dict[str, Any]) -> dict[str, Any]:
    return job.record(data)


if __name__ == "__main__":
    asyncio.run(app.run())
