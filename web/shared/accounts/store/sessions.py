"""Sessions, sign-ins, failures and one-time links, read and written in a unit of work's transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session as Transaction

from web.shared.accounts.domain.accounts import normal_email
from web.shared.accounts.domain.sessions import LONGEST, Session
from web.shared.accounts.domain.vocabulary import Factor, LinkKind, SignInResult
from web.shared.accounts.store.tables import AccountTables

WITHIN = timedelta(minutes=5)
MOST_FAILURES, MOST_FAILURES_OF_ALL = 10, 1_000
"""After so many within WITHIN, for one e-mail address and for all together, nobody is let in there."""

SHOWN_SIGN_INS = 20


@dataclass(frozen=True)
class SignIn:
    """A sign-in or a try at one, as its person is shown it."""

    id: UUID
    account_id: UUID
    at: datetime
    result: SignInResult
    browser: str
    factor: Factor | None = None


@dataclass(frozen=True)
class Link:
    """A one-time link. `account_id` is None for the first administrator, who has no account yet."""

    token_hash: bytes
    kind: LinkKind
    account_id: UUID | None
    made_at: datetime
    expires_at: datetime
    used_at: datetime | None = None

    def is_open(self, at: datetime) -> bool:
        return self.used_at is None and at < self.expires_at


class SessionStore:
    """Sessions and how they began, in one transaction."""

    def __init__(self, transaction: Transaction, tables: AccountTables) -> None:
        self._transaction, self._tables = transaction, tables

    def add(self, session: Session) -> None:
        self._transaction.execute(self._tables.session.insert().values(**asdict(session)))

    def find(self, token_hash: bytes) -> Session | None:
        table = self._tables.session
        row = self._transaction.execute(select(table).where(table.c.token_hash == token_hash)).one_or_none()
        return Session(**row._mapping) if row else None

    def of(self, account_id: UUID) -> list[Session]:
        table = self._tables.session
        rows = self._transaction.execute(
            select(table).where(table.c.account_id == account_id).order_by(table.c.used_at.desc())
        )
        return [Session(**row._mapping) for row in rows]

    def change(self, token_hash: bytes, **values: Any) -> None:
        table = self._tables.session
        self._transaction.execute(update(table).where(table.c.token_hash == token_hash).values(**values))

    def end(self, token_hash: bytes) -> bool:
        """Whether there was such a session."""
        table = self._tables.session
        ended = delete(table).where(table.c.token_hash == token_hash).returning(table.c.token_hash)
        return self._transaction.execute(ended).one_or_none() is not None

    def end_all(self, account_id: UUID, *, but: bytes = b"") -> None:
        """Ends the sessions of an account, at once."""
        table = self._tables.session
        self._transaction.execute(delete(table).where(table.c.account_id == account_id, table.c.token_hash != but))

    def end_old(self, at: datetime) -> None:
        table = self._tables.session
        self._transaction.execute(delete(table).where(table.c.begun_at < at - LONGEST))

    def forget_sign_ins(self, before: datetime) -> None:
        table = self._tables.sign_in
        self._transaction.execute(delete(table).where(table.c.at < before))

    def add_sign_in(self, sign_in: SignIn) -> None:
        self._transaction.execute(self._tables.sign_in.insert().values(**asdict(sign_in)))

    def sign_ins(self, account_id: UUID) -> Sequence[SignIn]:
        """The newest first."""
        table = self._tables.sign_in
        newest = select(table).where(table.c.account_id == account_id).order_by(table.c.at.desc(), table.c.id.desc())
        return [SignIn(**row._mapping) for row in self._transaction.execute(newest.limit(SHOWN_SIGN_INS))]


class FailureStore:
    """Failed sign-ins by e-mail address, whether or not somebody has an account with it."""

    def __init__(self, transaction: Transaction, tables: AccountTables) -> None:
        self._transaction, self._table = transaction, tables.failure

    def is_locked(self, email: str, *, at: datetime) -> bool:
        """Whether too many have failed lately for this address, or for all together."""
        counted, since = select(func.count()).select_from(self._table), self._table.c.at > at - WITHIN
        own = counted.where(since, self._table.c.email_hash == _hash_of_email(email))
        if self._transaction.execute(own).scalar_one() >= MOST_FAILURES:
            return True
        return self._transaction.execute(counted.where(since)).scalar_one() >= MOST_FAILURES_OF_ALL

    def add(self, failure_id: UUID, email: str, *, at: datetime) -> None:
        self._transaction.execute(delete(self._table).where(self._table.c.at <= at - WITHIN))
        values = {"id": failure_id, "email_hash": _hash_of_email(email), "at": at}
        self._transaction.execute(self._table.insert().values(**values))

    def forget(self, email: str) -> None:
        """Whoever got in begins anew."""
        self._transaction.execute(delete(self._table).where(self._table.c.email_hash == _hash_of_email(email)))


class LinkStore:
    """One-time links."""

    def __init__(self, transaction: Transaction, tables: AccountTables) -> None:
        self._transaction, self._table = transaction, tables.one_time_link

    def add(self, link: Link) -> None:
        """Adds a link; those of the same account before it lead nowhere any more."""
        self.close(link.account_id, at=link.made_at)
        self._transaction.execute(self._table.insert().values(**asdict(link)))

    def find(self, token_hash: bytes) -> Link | None:
        row = self._transaction.execute(select(self._table).where(self._table.c.token_hash == token_hash)).one_or_none()
        return Link(**row._mapping) if row else None

    def forget(self, before: datetime) -> None:
        """Deletes the links whose time was over before then."""
        self._transaction.execute(delete(self._table).where(self._table.c.expires_at < before))

    def use(self, token_hash: bytes, *, at: datetime) -> bool:
        """Whether the link was open, and is used up from now on."""
        table = self._table
        is_open = (table.c.token_hash == token_hash, table.c.used_at.is_(None), table.c.expires_at > at)
        used = update(table).where(*is_open).values(used_at=at).returning(table.c.token_hash)
        return self._transaction.execute(used).one_or_none() is not None

    def close(self, account_id: UUID | None, *, at: datetime) -> None:
        same = self._table.c.account_id == account_id if account_id else self._table.c.account_id.is_(None)
        self._transaction.execute(update(self._table).where(same, self._table.c.used_at.is_(None)).values(used_at=at))


def _hash_of_email(email: str) -> bytes:
    return hashlib.sha256(normal_email(email).encode(errors="replace")).digest()
