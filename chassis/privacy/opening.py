"""How a handler opens the sealed fields of an event. Separate from `sealing`, which front-ends import without a
database."""

from __future__ import annotations

from typing import TypeVar

from chassis.ports import Invalid
from chassis.privacy.sealing import Keyring, Unopenable
from contracts.shape import InvalidShape, Shape

ShapeT = TypeVar("ShapeT", bound=Shape)


def open_or_park(keyring: Keyring, kind: type[ShapeT], sealed: str) -> ShapeT:
    """Opens a sealed field. Raises Invalid if that fails, so that the message goes to the dead letters."""
    try:
        return keyring.open(kind, sealed)
    except (Unopenable, InvalidShape) as error:
        raise Invalid(str(error)) from None
