"""Messages and commands with something wrong in them, made of what is right, and always the same for a seed."""

from __future__ import annotations

import json
import pickle
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

from marshmallow import ValidationError, fields, validate

from chassis.access.tokens import HEADER
from chassis.host.commands import CommandMethod
from chassis.host.entrypoints import declared_by
from chassis.host.service_loader import load
from chassis.privacy.sealing import Keyring
from chassis.rpc import Sign
from contracts import generate, sealed
from contracts.catalogue import events
from contracts.envelope import Envelope, source_of, to_headers
from contracts.event import Event
from contracts.fields import Instant, Nested, StrictBoolean, Tuple
from contracts.shape import Shape
from leeward.runtime.workspace import SERVICES
from tests.mutations.values import HEADERS, KEPT_BY_THE_BROKER, ODD_HEADERS, ODD_VALUES, mutated, nested
from tests.support.samples import somebody

SAMPLES = Path(generate.FOLDER) / "samples"
COMMANDS_SHARE = 0.4
BEGINNING = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
CANDIDATES = (
    "robin@example.org",
    "NP20",
    "NP20 4UR",
    "en",
    "a-slug",
    "a_slug",
    "Robin Example",
    "07700 900123",
    "W06000022",
    "gwent",
    "2026-27",
    "core-10",
    "harbour lantern quiet meadow",
    "9C28-SAU2-5",
    "0" * 64,
)
SEALED_SHAPES = {
    "intake": (
        sealed.Note,
        sealed.Aspects,
        sealed.Whereabouts,
        sealed.Credentials,
        sealed.SafeContact,
        sealed.ClientChange,
    ),
    "matching": (sealed.OfferAnswer,),
    "notifications": (
        sealed.TherapistContact,
        sealed.DutyContact,
        sealed.OutcomeReason,
        sealed.ClientContact,
        sealed.AlertAnswer,
    ),
    "evaluation": (sealed.EvaluationForm,),
}
BAD_BODIES = (
    b"",
    b"null",
    b"[]",
    b"{",
    b"\xff\xfe{\x00}\x00",
    b"[" * 100_000,
    b'{"a":' * 50_000,
    b'{"a": NaN}',
    b'{"a": 1e999}',
    b'{"a": "\\ud83d"}',
    b"1" * 5_000,
    pickle.dumps({"args": [], "kwargs": {}}),
    json.dumps({"args": [1], "kwargs": {}}).encode(),
    json.dumps({"kwargs": {}}).encode(),
    json.dumps({"args": [], "kwargs": []}).encode(),
)
BIG_BODY = b'{"a": "' + b"x" * 1_200_000 + b'"}'


@dataclass
class Message:
    """One message as it is to be published."""

    exchange: str
    routing_key: str
    body: bytes
    headers: dict[Any, Any]
    properties: dict[str, Any] = field(default_factory=dict)


class Mutator:
    """Makes them. `keyring` seals what travels sealed and `sign` signs commands: what is wrong may lie inside."""

    def __init__(self, keyring: Keyring, sign: Sign, seed: int) -> None:
        self._keyring, self._sign = keyring, sign
        self._random = Random(seed)
        self._events = list(events())
        self._commands = [
            (service, one.attribute, one.entrypoint.request)
            for service in SERVICES
            for one in declared_by(load(service))
            if isinstance(one.entrypoint, CommandMethod)
        ]
        self._ids = [self._uuid() for _ in range(40)]

    def prefers_a_command(self) -> bool:
        return self._random.random() < COMMANDS_SHARE

    def event(self, reply_to: str = "") -> Message:
        """An event of any publisher's, wrong in up to three places."""
        event = self._random.choice(self._events)
        data = self._event_data(event)
        envelope = Envelope(
            id=self._uuid(),
            source=source_of(event.publisher),
            type=event.__name__,
            time=BEGINNING + timedelta(seconds=self._random.randrange(10**6)),
            subject=str(data.get(event.subject_field)),
            sequence=self._random.randrange(1, 20),
            correlation_id=str(self._uuid()),
        )
        message = Message(event.exchange(), event.__name__, _encoded(data), dict(to_headers(envelope)))
        message.properties = {"message_id": str(envelope.id), "content_type": "application/json"}
        return self._spoilt(message)

    def command(self, reply_to: str) -> Message:
        """A command to any service, wrong in up to three places; `correlation_id` is always there."""
        service, method, request = self._random.choice(self._commands)
        given = self._of_shape(request)
        for _ in range(self._random.choice((0, 0, 1, 1, 2))):
            given = mutated(given, self._random)
        message = Message("nameko-rpc", f"{service}.{method}", _encoded({"args": [], "kwargs": given}), {})
        message.headers = {"nameko.call_id_stack": ["test"], **self._token(service, method, given)}
        message.properties = {
            "reply_to": reply_to,
            "correlation_id": str(self._uuid()),
            "content_type": "application/json",
        }
        return self._spoilt(message)

    def _token(self, service: str, method: str, given: Any) -> dict[str, str]:
        """None for what isn't even an object, or holds what JSON has no words for."""
        try:
            return {HEADER: self._sign(service, method, given, None)}
        except TypeError:
            return {}

    def _spoilt(self, message: Message) -> Message:
        for _ in range(self._random.choice((0, 0, 0, 1, 1, 2, 3))):
            what = self._random.random()
            if what < 0.55:
                self._spoil_header(message)
            elif what < 0.75:
                self._spoil_property(message)
            elif what < 0.95:
                message.body = self._spoilt_body(message.body)
            else:
                message.headers["nested"] = nested(self._random.choice((10, 400, 3_000)))
        return message

    def _spoil_header(self, message: Message) -> None:
        name = self._random.choice(HEADERS)
        if self._random.random() < 0.15:
            message.headers.pop(name, None)
        else:
            odd = KEPT_BY_THE_BROKER if name == "x-death" else ODD_HEADERS
            message.headers[name] = self._random.choice(odd)

    def _spoil_property(self, message: Message) -> None:
        odd = {
            "content_type": ("text/plain", "", "application/x-python-serialize", "application/JSON", b"\xff", None),
            "content_encoding": ("gzip", "binary", b"\xff", None),
            "message_id": ("x", "", b"\xff", None, str(self._uuid())),
            "timestamp": (0, 2**63, 2**64 - 1),
            "type": ("x", b"\xff"),
            "app_id": ("x" * 255,),
            "priority": (0, 255),
            "delivery_mode": (1, 7),
            "reply_to": ("", "x", "intake.assess", "rpc-intake", b"\xff", None, "*" * 255),
        }
        name = self._random.choice(list(odd))
        message.properties[name] = self._random.choice(odd[name])

    def _spoilt_body(self, body: bytes) -> bytes:
        what = self._random.random()
        if what < 0.4:
            return self._random.choice(BAD_BODIES)
        if what < 0.42:
            return BIG_BODY
        if what < 0.6:
            return body[: self._random.randrange(len(body) + 1)]
        place = self._random.randrange(len(body) + 1)
        return body[:place] + bytes([self._random.randrange(256)]) + body[place + 1 :]

    def _event_data(self, event: type[Event]) -> dict[str, Any]:
        data: dict[str, Any] = json.loads((SAMPLES / f"{event.publisher}.{event.__name__}.json").read_text())
        for name, field_ in event.schema.fields.items():
            if name in data and isinstance(field_, fields.UUID):
                data[name] = str(self._random.choice(self._ids))
            if name in data and "sealed_to" in field_.metadata:
                data[name] = self._sealed(field_.metadata["sealed_to"], event.__name__)
        for _ in range(self._random.choice((0, 0, 1, 1, 2))):
            data = mutated(data, self._random) if isinstance(data, dict) else {}
        return data if isinstance(data, dict) else {}

    def _sealed(self, reader: str, event: str = "") -> str:
        """What travels sealed to this reader, wrong inside as often as not."""
        if event == "HelpRequested":
            said = somebody(str(self._uuid())).to_json()
        else:
            said = self._of_shape(self._random.choice(SEALED_SHAPES[reader]))
        if self._random.random() < 0.6:
            said = mutated(said, self._random)
        return self._keyring.seal(reader, _Raw(_encoded(said)))  # type: ignore[arg-type]

    def _of_shape(self, shape: type[Shape]) -> dict[str, Any]:
        """Data that fits a shape, as a rule; fields that may be missing are, half of the time."""
        return {
            name: self._of_field(field_)
            for name, field_ in shape.schema.fields.items()
            if field_.required or self._random.random() < 0.5
        }

    def _of_field(self, field_: fields.Field[Any]) -> Any:
        if "sealed_to" in field_.metadata:
            return self._sealed(field_.metadata["sealed_to"])
        if isinstance(field_, Nested):
            return self._of_shape(field_.shape)
        if isinstance(field_, Tuple):
            return [self._of_field(field_.inner) for _ in range(self._random.randrange(1, 3))]
        for _ in range(10):
            value = self._plain(field_)
            try:
                field_.deserialize(value)
            except (ValidationError, OverflowError):
                continue
            return value
        return self._random.choice(ODD_VALUES)

    def _plain(self, field_: fields.Field[Any]) -> Any:
        random = self._random
        if isinstance(field_, fields.UUID):
            return str(random.choice(self._ids))
        if isinstance(field_, fields.Enum):
            return random.choice([one.value for one in field_.enum])
        if isinstance(field_, StrictBoolean):
            return random.random() < 0.5
        if isinstance(field_, Instant):
            return (BEGINNING + timedelta(seconds=random.randrange(10**7))).isoformat()
        if isinstance(field_, fields.Date):
            return (BEGINNING + timedelta(days=random.randrange(-400, 400))).date().isoformat()
        if isinstance(field_, fields.Float | fields.Integer):
            return random.choice((0, 1, 2, 5, 30, 100, 5_000))
        choices = [one.choices for one in field_.validators if isinstance(one, validate.OneOf)]
        return random.choice(list(choices[0]) if choices else CANDIDATES)

    def _uuid(self) -> UUID:
        return UUID(int=self._random.getrandbits(128), version=4)


class _Raw:
    """Content that is sealed as it is."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def encode(self) -> bytes:
        return self._content


def _encoded(data: Any) -> bytes:
    """As JSON, with surrogates escaped, as JavaScript writes them."""
    return json.dumps(data).encode()
