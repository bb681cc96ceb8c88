"""Reading the messages that are in a queue now, oldest first, without having to settle them."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from typing import Any

from chassis.bus.connection import BusConnection
from chassis.bus.messages import Incoming

PATIENCE_SECONDS = 2.0


def depth(connection: BusConnection, channel: Any, queue: str) -> int:
    """How many messages are ready in it. Raises one of LOST if there is no such queue."""
    declared = connection.ask(lambda done: channel.queue_declare(queue, passive=True, callback=done))
    return int(declared.method.message_count)


def messages_in(connection: BusConnection, channel: Any, queue: str) -> Iterator[Incoming]:
    """The messages in the queue. Those that aren't acknowledged go back, in order, when the channel closes.

    They are consumed and not fetched with `basic.get`, after which they go back in any order (seen on 3.10.8).
    """
    arrived: deque[Incoming] = deque()
    count = depth(connection, channel, queue)
    connection.consume(channel, queue, arrived.append)
    for _ in range(count):
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not arrived:
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                return  # another consumer has taken the rest
            connection.drain(remaining)
        yield arrived.popleft()
