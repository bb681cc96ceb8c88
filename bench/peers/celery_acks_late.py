"""Celery with late acknowledgement on quorum queues, two processes.

    celery --app bench.peers.celery_acks_late worker --concurrency 2 --queues celery.noted

Guarantee: row and event are not atomic: with `task_acks_late` and `task_reject_on_worker_lost` a task that was killed
runs again, so the event goes out at least once; a task that raises is acknowledged all the same unless it retries.
Published persistently and with a confirm each. Duplicates: of the event yes, of the row no (unique key).
"""

from __future__ import annotations

import os
from typing import Any

from celery import Celery

from bench.peers import job

app = Celery("bench", broker=os.environ["AMQP_URI"])
app.conf.update(
    broker_transport_options={"confirm_publish": True},
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_default_queue_type="quorum",
    task_ignore_result=True,
    worker_detect_quorum_queues=True,
    worker_prefetch_multiplier=10,
)


@app.task(name="record_attendance")
def record_attendance(**data: Any) -> None:
    app.send_task("attendance_recorded", kwargs=job.record(data), queue="celery.recorded")
