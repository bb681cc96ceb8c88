"""Has notifications write to staff: what a letter needs goes to it sealed, with the unit of work's other events."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from uuid import UUID

from chassis.ports import UnitOfWork
from chassis.privacy.sealing import Keyring
from contracts.accounts import AccountId, StaffMatter
from contracts.events.accounts import LetterTested, StaffInvited, StaffTold
from contracts.permissions import Role
from contracts.sealed import StaffLetter
from web.shared.accounts.domain.accounts import Account
from web.shared.accounts.domain.vocabulary import LinkKind

READER = "notifications"


class ConsoleMailer:
    """A `Mailer` that emits the console's events. Raises NoKey at the start if notifications' key is missing."""

    def __init__(self, keys: Path) -> None:
        self._keyring = Keyring(keys)
        self._keyring.seal(READER, StaffLetter(name="-", email="nobody@example.org"))

    def send_link(
        self, unit: UnitOfWork[None], account: Account, *, kind: LinkKind, url: str, expires_at: datetime
    ) -> None:
        letter = StaffLetter(name=account.name, email=account.email, link=url)
        unit.emit(
            StaffInvited(
                account_id=AccountId(account.id),
                renews=kind is LinkKind.RENEWAL,
                expires_at=expires_at,
                sealed=self._keyring.seal(READER, letter),
            )
        )

    def tell(
        self, unit: UnitOfWork[None], to: Account, *, matter: StaffMatter, about: Account, role: Role | None
    ) -> None:
        letter = StaffLetter(name=to.name, email=to.email, about=about.name)
        unit.emit(
            StaffTold(
                notice_id=unit.new_id(),
                account_id=AccountId(to.id),
                about_id=AccountId(about.id),
                matter=matter,
                role=role,
                sealed=self._keyring.seal(READER, letter),
            )
        )

    def test(self, unit: UnitOfWork[None], to: Account, *, test_id: UUID, code: str) -> None:
        letter = StaffLetter(name=to.name, email=to.email, code=code)
        sealed = self._keyring.seal(READER, letter)
        unit.emit(LetterTested(test_id=test_id, account_id=AccountId(to.id), sealed=sealed))
