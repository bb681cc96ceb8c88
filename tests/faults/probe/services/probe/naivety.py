"""Guarantees against what others send, broken on purpose: a service that believes all it is told, or stumbles."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from chassis.bus import commands, delivery, frames
from chassis.bus.delivery import Delivery
from chassis.bus.failure_history import ORIGIN_EXCHANGE, history_of
from chassis.bus.messages import Incoming
from chassis.host import dead_letters


def believe_headers() -> None:
    """Takes a message to come from where its headers say."""
    original = Delivery.of

    def of(message: Incoming, received_at: datetime, *, service: str) -> Delivery:
        found = original(message, received_at, service=service)
        told = ORIGIN_EXCHANGE in message.headers
        return found._replace(history=history_of(message.headers)) if told else found

    Delivery.of = of  # type: ignore[method-assign, assignment]


def stumble_over_messages() -> None:
    """Doesn't catch what goes wrong in reading a message."""

    def understand(one: Delivery, subscriptions: Any, *, one_user_each: bool) -> Any:
        return delivery._understand(one, subscriptions, one_user_each)

    def refuse(one: Any, defect: str) -> None:
        raise ValueError(defect)

    from chassis.host import lane

    lane.read = understand
    frames._Delivery._refuse = refuse  # type: ignore[method-assign]


def stumble_over_commands() -> None:
    """Doesn't catch what goes wrong in reading a command."""
    original = commands.read_command

    def read_command(*arguments: Any) -> Any:
        read = original(*arguments)
        if read.refusal:
            raise read.refusal
        return read

    commands.read_command = read_command


def refuse_no_replay() -> None:
    """Puts back what the inbox may have forgotten."""
    dead_letters.too_old = lambda letter, **known: None  # type: ignore[assignment]


BREAKS: Mapping[str, Callable[[], None]] = MappingProxyType(
    {
        "believe_headers": believe_headers,
        "stumble_over_messages": stumble_over_messages,
        "stumble_over_commands": stumble_over_commands,
        "unrefused": refuse_no_replay,
    }
)
