"""What a handler opens that an event brought sealed. Apart from sealing, which front-ends load without a database."""

from __future__ import annotations

from typing import TypeVar

from chassis.ports import Invalid
from chassis.privacy.sealing import Keyring, Unopenable
from contracts.shape import InvalidShape, Shape

ShapeT = TypeVar("ShapeT", bound=Shape)


def open_or_park(keyring: Keyring, kind: type[ShapeT], sealed: str) -> ShapeT:
    """What an event brought sealed. Raises Invalid, by which it is parked: to try again would help nothing."""
    try:
        return keyring.open(kind, sealed)
    except (Unopenable, InvalidShape) as error:
        raise Invalid(str(error)) from None
