"""What every use case of accounts stands on: one application's accounts, and one transaction on them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from chassis.audit.chain import AuditAction
from chassis.ports import UnitOfWork
from chassis.store.database import Database
from chassis.store.unit_of_work import StoreUnit
from contracts.accounts import StaffMatter
from contracts.permissions import Role
from web.shared.accounts.application.cipher import Cipher
from web.shared.accounts.application.provider import Provider
from web.shared.accounts.domain.accounts import Account
from web.shared.accounts.domain.passkeys import RelyingParty
from web.shared.accounts.domain.passwords import Passwords
from web.shared.accounts.domain.vocabulary import GrantPolicy, LinkKind
from web.shared.accounts.store.letter_tests import LetterTestStore
from web.shared.accounts.store.prepared import PreparedStore
from web.shared.accounts.store.repository import AccountStore, CredentialStore
from web.shared.accounts.store.saved_views import SavedViewStore
from web.shared.accounts.store.sessions import FailureStore, LinkStore, SessionStore
from web.shared.accounts.store.tables import AccountTables

INVITATION_LASTS, LINK_LASTS = timedelta(days=2), timedelta(minutes=30)


class Mailer(Protocol):
    """Has letters sent to the people who have accounts, if the unit of work commits."""

    def send_link(
        self, unit: UnitOfWork[None], account: Account, *, kind: LinkKind, url: str, expires_at: datetime
    ) -> None: ...

    def tell(
        self, unit: UnitOfWork[None], to: Account, *, matter: StaffMatter, about: Account, role: Role | None
    ) -> None:
        """Tells `to` of something about the account `about`."""

    def test(self, unit: UnitOfWork[None], to: Account, *, test_id: UUID, code: str) -> None:
        """Sends a letter with a code, by which somebody sees that letters arrive."""


@dataclass(frozen=True)
class Work:
    """One transaction on the accounts."""

    unit: UnitOfWork[None]
    accounts: AccountStore
    credentials: CredentialStore
    sessions: SessionStore
    failures: FailureStore
    links: LinkStore
    prepared: PreparedStore
    letter_tests: LetterTestStore
    saved_views: SavedViewStore

    @property
    def now(self) -> datetime:
        return self.unit.now

    def record(self, what: AuditAction, *, who: UUID | str, about: UUID, reason: str | None = None) -> None:
        """Adds to the audit log. `who` is an account, or `rule`, `operator` or `provider`."""
        self.unit.record_audit(what, who=str(who), subject_id=about, reason=reason)


@dataclass(frozen=True)
class Accounts:
    """The accounts of one application: where they are kept, and by which rules."""

    database: Database
    tables: AccountTables
    passwords: Passwords
    cipher: Cipher
    relying_party: RelyingParty
    roles: frozenset[Role]
    policy: GrantPolicy
    mailer: Mailer
    charity: str
    provider: Provider | None = None
    committed: Callable[[StoreUnit], None] = lambda _: None
    """What follows each commit: its events are sent."""

    @contextmanager
    def work(self) -> Iterator[Work]:
        """Committed if the block ends without an error. Nothing slow belongs in it, since one runs at a time."""
        with self.database.unit(self.committed) as unit:
            yield self._work_on(unit)

    @contextmanager
    def reading(self) -> Iterator[Work]:
        with self.database.reading() as unit:
            yield self._work_on(unit)

    def url_of_link(self, token: str) -> str:
        return f"{self.relying_party.origin}/link/{token}"

    def _work_on(self, unit: UnitOfWork[None]) -> Work:
        return Work(
            unit=unit,
            accounts=AccountStore(unit.session, self.tables),
            credentials=CredentialStore(unit.session, self.tables),
            sessions=SessionStore(unit.session, self.tables),
            failures=FailureStore(unit.session, self.tables),
            links=LinkStore(unit.session, self.tables),
            prepared=PreparedStore(unit.session, self.tables),
            letter_tests=LetterTestStore(unit.session, self.tables),
            saved_views=SavedViewStore(unit.session, self.tables),
        )
