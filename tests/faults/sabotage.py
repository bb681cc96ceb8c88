"""Guarantees broken on purpose, from outside of the code under test: so a scenario is seen to fail, again and again.

The ones named here act on the wire, in the database or at the broker; `commit_early`, `forget_key`, `no_locks` and
those of `services.probe.naivety` are the probe's own.
"""

from __future__ import annotations

import re
import struct
from collections import Counter
from collections.abc import Callable, Mapping
from types import MappingProxyType
from uuid import uuid4

from tests.faults.rig import Rig
from tests.support import proxy
from tests.support.proxy import HEADER, METHOD, Filter, Frame, Link

CONTENT_ID = re.compile(rb"cloudEvents_idS\x00\x00\x00\x24([0-9a-f-]{36})")
MANDATORY, NO_ACK, MULTIPLE = 1, 2, 0
FRAME_END = b"\xce"

FORGETS = {
    "sqlite": "CREATE TRIGGER forget_{table} AFTER INSERT ON {table} "
    "BEGIN DELETE FROM {table} WHERE {key} = NEW.{key}; END",
    "postgresql": "CREATE FUNCTION forget_{table}() RETURNS trigger AS "
    "'BEGIN DELETE FROM {table} WHERE {key} = NEW.{key}; RETURN NULL; END' LANGUAGE plpgsql; "
    "CREATE TRIGGER forget AFTER INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION forget_{table}()",
}


def spoil(rig: Rig) -> None:
    """Breaks what the rig's sabotage names."""
    if "forget_inbox" in rig.sabotage:
        rig.change(FORGETS[rig.store].format(table="inbox", key="message_id"))
    if "lose_outbox" in rig.sabotage:
        rig.change(FORGETS[rig.store].format(table="outbox", key="id"))
    if "forget_attempts" in rig.sabotage:
        rig.change(FORGETS[rig.store].format(table="attempt", key="message_id"))
    if "low_limit" in rig.sabotage:
        rig.policy("low_limit", "^probe\\.inbox$", {"delivery-limit": 1})
        rig.policy("no_way_back", "^probe\\.limit$", {"max-length": 0})
    for name, make in WIRE.items():
        if name in rig.sabotage:
            rig.proxy.filters.append(make())
    if rig.sabotage & WIRE.keys():
        rig.proxy.reset_all()


class Unconfirmed:
    """A publisher that never waits for confirms: each publish is confirmed to it at once, whatever the broker does.

    What it publishes while the broker doesn't read, or to the exchange named, is gone.
    """

    def __init__(self, lost_to: str = "") -> None:
        self._lost_to = lost_to
        self._tags: Counter[tuple[Link, int]] = Counter()
        self._blocked: set[Link] = set()

    def __call__(self, frame: Frame) -> bytes:
        channel = frame.link, frame.channel
        if not frame.up:
            if frame.method == proxy.CONNECTION_BLOCKED:
                self._blocked.add(frame.link)
            if frame.method == proxy.CONNECTION_UNBLOCKED:
                self._blocked.discard(frame.link)
            is_confirm = frame.method in (proxy.ACK, proxy.NACK) and channel in self._tags
            return b"" if is_confirm else frame.raw
        if frame.method == proxy.CONFIRM_SELECT:
            self._tags[channel] = 0
        if frame.method != proxy.PUBLISH or channel not in self._tags:
            return frame.raw
        self._tags[channel] += 1
        confirm = struct.pack(">HHQB", *proxy.ACK, self._tags[channel], MULTIPLE)
        beginning = struct.pack(">BHI", METHOD, frame.channel, len(confirm))
        frame.link.send(beginning + confirm + FRAME_END, up=False)
        if frame.link in self._blocked or frame.exchange == self._lost_to:
            return frame.drop_message()
        return frame.raw


def acknowledge_first(frame: Frame) -> bytes:
    """A consumer that acknowledges before it has committed: the broker forgets a message as it hands it out."""
    if not frame.up:
        return frame.raw
    if frame.method == proxy.CONSUME and b"probe.inbox" in frame.raw:
        bits = _consume_bits(frame.raw)
        return frame.raw[:bits] + bytes([frame.raw[bits] | NO_ACK]) + frame.raw[bits + 1 :]
    if frame.method in (proxy.ACK, proxy.NACK, proxy.REJECT):
        return b""
    return frame.raw


def forget_mandatory(frame: Frame) -> bytes:
    """A publisher that doesn't ask to be told when a message finds no queue."""
    if not frame.up or frame.method != proxy.PUBLISH:
        return frame.raw
    return frame.raw[:-2] + bytes([frame.raw[-2] & ~MANDATORY]) + FRAME_END


def new_ids(frame: Frame) -> bytes:
    """A publisher that gives a message a new id each time it publishes it."""
    if not frame.up or frame.kind != HEADER or b"/leeward/probe" not in frame.raw:
        return frame.raw
    found = CONTENT_ID.search(frame.raw)
    return frame.raw.replace(found[1], str(uuid4()).encode()) if found else frame.raw


def _consume_bits(raw: bytes) -> int:
    """Where the bits of a basic.consume are: after the reserved number, the queue's name and the consumer's tag."""
    tag = 13 + 1 + raw[13]
    return tag + 1 + raw[tag]


WIRE: Mapping[str, Callable[[], Filter]] = MappingProxyType(
    {
        "unconfirmed": Unconfirmed,
        "silent": lambda: Unconfirmed("probe.retry"),
        "no_ack": lambda: acknowledge_first,
        "not_mandatory": lambda: forget_mandatory,
        "new_ids": lambda: new_ids,
    }
)
