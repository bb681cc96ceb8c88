"""For commands: opens what comes sealed, and encrypts it under a key of the person's or the concern's own."""

from __future__ import annotations

from typing import TypeVar
from uuid import UUID

from chassis.ports import UnitOfWork
from chassis.privacy.sealing import Unopenable
from chassis.privacy.vault import Erased
from contracts.shape import InvalidShape, Shape
from services.notifications.dependencies import Dependencies
from services.notifications.errors import IdentityUsedUp, NotReadable

ShapeT = TypeVar("ShapeT", bound=Shape)


def open_sealed(unit: UnitOfWork[Dependencies], kind: type[ShapeT], sealed: str) -> ShapeT:
    """Raises NotReadable."""
    try:
        return unit.dependencies.keyring.open(kind, sealed)
    except (Unopenable, InvalidShape) as error:
        raise NotReadable(str(error)) from None


def encrypt(unit: UnitOfWork[Dependencies], subject_id: UUID, shape: Shape) -> bytes:
    """Raises IdentityUsedUp."""
    try:
        return unit.dependencies.vault.encrypt(unit.session, subject_id, shape, at=unit.now)
    except Erased:
        raise IdentityUsedUp("What was kept under this identity was erased. Please use a new one.") from None
