"""dramatiq actors on RabbitMQ, eight threads in each process.

    dramatiq bench.peers.dramatiq_actors --processes 1 --threads 8 --queues noted

Guarantee: row and event are not atomic: a message is acknowledged after its actor has run, so killed in between it
comes again and the event goes out at least once; an actor that raises is retried with growing delays. Published
persistently and with a confirm each (`confirm_delivery`). Duplicates: of the event yes, of the row no (unique key).
dramatiq says nothing of the queue's type, so it is the virtual host's default: quorum.
"""

from __future__ import annotations

import os
from typing import Any

import dramatiq
from dramatiq.brokers.rabbitmq import RabbitmqBroker

from bench.peers import job

broker = RabbitmqBroker(url=os.environ["AMQP_URI"], confirm_delivery=True)
dramatiq.set_broker(broker)


@dramatiq.actor(queue_name="noted")
def record_attendance(**data: Any) -> None:
    attendance_recorded.send(**job.record(data))


@dramatiq.actor(queue_name="recorded")
def attendance_recorded(**data: Any) -> None:
    """Never run here: the harness counts what lies in its queue."""
