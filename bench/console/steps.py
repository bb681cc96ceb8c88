"""Steps of referrals, published as intake would publish them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from kombu import Connection, Exchange, Producer

from chassis.ids import new_id
from contracts.envelope import Envelope, source_of, to_headers
from contracts.events.intake import ReferralStepTaken
from contracts.vocabulary import ReferralId

STORY = (("receive", "received"), ("take_up", "awaiting_assessment"), ("assess", "assessed"), ("offer", "offered"))
"""A new referral's first four steps, and where each leads."""


class Intake:
    """Publishes on intake's exchange, over a connection of its own."""

    def __init__(self, connection: Connection) -> None:
        exchange = Exchange("intake.events", "topic", durable=True)
        self._producer = Producer(connection.channel(), exchange, serializer="json")

    def take(self, referral_id: ReferralId, number: int, step: str, state: str, **more: Any) -> None:
        now = datetime.now(UTC)
        event = ReferralStepTaken(
            referral_id=referral_id, number=number, step=step, state=state, taken_at=now, taken_by="rule", **more
        )
        envelope = Envelope(
            id=new_id(), source=source_of("intake"), type="ReferralStepTaken", time=now, subject=str(referral_id),
            sequence=number,
        )  # fmt: skip
        self._producer.publish(event.to_json(), routing_key="ReferralStepTaken", headers=to_headers(envelope))

    def tell_story(self) -> None:
        referral_id = ReferralId(new_id())
        for number, (step, state) in enumerate(STORY, start=1):
            self.take(referral_id, number, step, state)
