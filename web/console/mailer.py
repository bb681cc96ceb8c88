"""Has notifications write to staff: what a letter needs goes to it sealed, with the unit of work's other events."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from chassis.ports import UnitOfWork
from chassis.privacy.sealing import Keyring
from contracts.permissions import Role
from web.shared.accounts.application.ground import Matter
from web.shared.accounts.domain.accounts import Account
from web.shared.accounts.domain.vocabulary import LinkKind


class ConsoleMailer:
    """A `Mailer` that emits the console's events."""

    def __init__(self, keys: Path) -> None:
        self._keyring = Keyring(keys)

    def send_link(
        self, unit: UnitOfWork[None], account: Account, *, kind: LinkKind, url: str, expires_at: datetime
    ) -> None:
        return

    def tell(self, unit: UnitOfWork[None], to: Account, *, matter: Matter, about: Account, role: Role | None) -> None:
        return
