"""The people of the journey as one cheap program: it assesses and accepts as events arrive, and keeps count."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterable
from typing import Any
from uuid import uuid4

from bench.core.bus import Bus, Message
from chassis.access.tokens import HEADER
from chassis.rpc import Sign

SEEN, REPLIES = "journey.seen", "journey.replies"
RPC_EXCHANGE = "nameko-rpc"

COUNTED = {
    "ReferralReceived": "intake",
    "TherapistOffered": "matching",
    "TherapistMatched": "matching",
    "ReferralFeeCharged": "billing",
    "SubsidyApproved": "billing",
    "EvaluationInvited": "evaluation",
    "MessageSent": "notifications",
}
"""Every event that is waited for, and who publishes it."""

EACH_HAS_ONE = ("ReferralReceived", "TherapistMatched", "ReferralFeeCharged", "SubsidyApproved", "EvaluationInvited")


class Driver:
    """Hears the services' events from a queue of its own, and answers with commands, waiting for none."""

    def __init__(self, bus: Bus, sealed_aspects: str, sign: Sign) -> None:
        self.bus, self._sign = bus, sign
        self.counts: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.last_at = time.monotonic()
        self._aspects = sealed_aspects
        for event, publisher in COUNTED.items():
            bus.make_queue(SEEN, exchange=f"{publisher}.events", routing_key=event)
        bus.make_queue(REPLIES, exchange=RPC_EXCHANGE, routing_key=REPLIES)
        bus.listen(SEEN, self._on_event)
        bus.listen(REPLIES, self._on_reply)

    def begin(self) -> None:
        """Counts from nought again."""
        self.counts.clear()
        self.refused.clear()
        self.last_at = time.monotonic()

    def publish(self, requests: Iterable[Message]) -> None:
        self.bus.publish(requests)

    def has_seen(self, referrals: int) -> bool:
        """Whether so many referrals have all that each must have."""
        return all(self.counts[event] >= referrals for event in EACH_HAS_ONE)

    def _on_event(self, message: Any) -> None:
        name = message.delivery_info["routing_key"]
        self.counts[name] += 1
        self.last_at = time.monotonic()
        if name == "ReferralReceived":
            self._assess(json.loads(message.body))
        elif name == "TherapistOffered":
            self._accept(json.loads(message.body))

    def _assess(self, event: dict[str, Any]) -> None:
        self._command(
            "intake.assess",
            referral_id=event["referral_id"],
            risk_level="lower",
            competence="lower",
            work="individual",
            aspects=self._aspects,
        )

    def _accept(self, event: dict[str, Any]) -> None:
        self._command("matching.accept_offer", offer_id=event["offer_id"], therapist_id=event["therapist_id"])

    def _command(self, command: str, **fields: Any) -> None:
        service, name = command.split(".")
        properties = {
            "headers": {HEADER: self._sign(service, name, fields, None)},
            "content_type": "application/json",
            "content_encoding": "utf-8",
            "reply_to": REPLIES,
            "correlation_id": str(uuid4()),
        }
        body = json.dumps({"args": [], "kwargs": fields}).encode()
        self.bus.send(Message(RPC_EXCHANGE, command, body, properties))

    def _on_reply(self, message: Any) -> None:
        error = json.loads(message.body)["error"]
        if error:
            self.refused[error["exc_type"]] += 1
