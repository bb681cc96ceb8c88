"""Collects what every service holds about a person. Answers are sealed to a key that exists only in this process."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from chassis.privacy.ephemeral_key import OneTimeKey
from chassis.rpc import RpcClient
from contracts.commands.subject import ExportReason, Holding, SealedHolding, Section, Topic
from contracts.vocabulary import Party
from leeward.runtime.workspace import SERVICES

TIMEOUT_SECONDS = 60.0
HOLDERS = tuple(service for service in SERVICES if service != "console")
"""Who is asked. The console lists what these have published, and holds nothing of its own about a person."""


@dataclass(frozen=True)
class Part:
    """What one service holds on one topic."""

    service: str
    section: Section


@dataclass(frozen=True)
class Request:
    """One of the person's requests, and everything held about it, topic by topic."""

    referral_id: str
    reference: str
    parts: tuple[Part, ...]


def gather(client: RpcClient, reference: str, *, reason: ExportReason, whose: Party = Party.CLIENT) -> list[Request]:
    """Everything held about the client with this reference, or about whoever wrote for them (`whose`).

    One Request for each of the person's references, the named one first. Intake is asked first, because it refuses
    staff who must not see the data. Raises CommandFailed, NoAnswer.
    """
    found = client.call("intake", "same_person", reference=reference)
    ids = [(referral["referral_id"], referral["reference"]) for referral in found]
    return [
        Request(referral_id, own_reference, parts_of(_ask_all(client, referral_id, reason, whose)))
        for referral_id, own_reference in ids
    ]


def open_answer(key: OneTimeKey, answer: object) -> Holding:
    return key.open(Holding, SealedHolding.from_json(answer).sealed)


def parts_of(holdings: Iterable[Holding]) -> tuple[Part, ...]:
    """The parts in the order of Topic, and within a topic in the order of the holdings."""
    parts = [Part(holding.service, section) for holding in holdings for section in holding.sections]
    order = list(Topic)
    return tuple(sorted(parts, key=lambda part: order.index(part.section.topic)))


def _ask_all(client: RpcClient, referral_id: str, reason: ExportReason, whose: Party) -> list[Holding]:
    key = OneTimeKey()
    fields: dict[str, Any] = {"referral_id": referral_id, "reason": reason.value, "seal_to": key.public}
    fields["whose"] = whose.value
    answers = (client.call(service, "about_subject", timeout=TIMEOUT_SECONDS, **fields) for service in HOLDERS)
    return [open_answer(key, answer) for answer in answers]
