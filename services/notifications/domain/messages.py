"""A message: what it is about and its state, never its text or its address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from contracts.vocabulary import Channel, ConcernId, FailureReason, MessageId, ReferralId, TherapistId
from services.notifications.domain.templates import Recipient, Template

Coded = Mapping[str, str | int]
"""Identifiers, codes, dates and amounts: all that is stored to render a message from."""


class State(StrEnum):
    QUEUED = "queued"
    SENT = "sent"
    KEPT = "kept"
    """The client calls us: the message waits until they do."""
    FAILED = "failed"
    CANCELLED = "cancelled"


class NotQueued(Exception):
    """The message isn't queued any more: it is in one of the other states."""


class NotSent(Exception):
    """Only a message that was sent can come back."""


@dataclass(kw_only=True, eq=False)
class Message:
    """One message. `business_key` identifies the fact that it tells, so that no fact is ever told twice.

    `sealed` is a secret that the message carries. It is opened only when the message is sent, and removed once the
    message isn't queued any more. `wording` says which wording went out, as `<template>/<language>/<version>`.
    """

    id: MessageId
    business_key: str
    template: Template
    recipient: Recipient
    queued_at: datetime
    channel: Channel = Channel.EMAIL
    state: State = State.QUEUED
    data: Coded = field(default_factory=dict)
    sealed: str | None = None
    referral_id: ReferralId | None = None
    therapist_id: TherapistId | None = None
    concern_id: ConcernId | None = None
    settled_at: datetime | None = None
    failure: FailureReason | None = None
    wording: str | None = None

    @property
    def is_queued(self) -> bool:
        return self.state is State.QUEUED

    def send(self, *, channel: Channel, wording: str | None = None, at: datetime) -> None:
        """The mail server or the provider took it. Raises NotQueued."""
        self._settle(State.SENT, at)
        self.channel, self.wording = channel, wording

    def await_call(self, *, at: datetime) -> None:
        """It waits until the client calls. Raises NotQueued."""
        self._settle(State.KEPT, at)

    def fail(self, *, reason: FailureReason, at: datetime) -> None:
        """It can't be sent. Raises NotQueued."""
        self._settle(State.FAILED, at)
        self.failure = reason

    def bounce(self, *, at: datetime) -> None:
        """It was sent, and came back. Raises NotSent."""
        if self.state is not State.SENT:
            raise NotSent(f"the message is {self.state.value}")
        self.state, self.settled_at, self.failure = State.FAILED, at, FailureReason.BOUNCED

    def cancel(self, *, at: datetime) -> None:
        """It has no point any more. Raises NotQueued."""
        self._settle(State.CANCELLED, at)

    def _settle(self, state: State, at: datetime) -> None:
        if not self.is_queued:
            raise NotQueued(f"the message is {self.state.value}")
        self.state, self.settled_at, self.sealed = state, at, None
