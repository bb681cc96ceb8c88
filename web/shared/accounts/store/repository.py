"""Accounts and what belongs to them, read and written in a unit of work's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, func, select, update
from sqlalchemy.orm import Session as Transaction

from contracts.permissions import Role
from web.shared.accounts.domain.accounts import Account, Person, normal_email
from web.shared.accounts.domain.grants import RoleGrant
from web.shared.accounts.domain.refusals import NoSuchAccount
from web.shared.accounts.domain.vocabulary import GrantState, State
from web.shared.accounts.store.tables import AccountTables

PAGE = 50


@dataclass(frozen=True)
class Page:
    """Some people of a list, and the cursor of those after them; None at the end."""

    people: Sequence[Person]
    after: str | None


class AccountStore:
    """The accounts of one application, in one transaction."""

    def __init__(self, transaction: Transaction, tables: AccountTables) -> None:
        self._transaction, self._tables = transaction, tables

    def add(self, account: Account) -> None:
        self._transaction.execute(self._tables.account.insert().values(**asdict(account)))

    def save(self, account: Account) -> None:
        table, values = self._tables.account, asdict(account)
        self._transaction.execute(update(table).where(table.c.id == values.pop("id")).values(**values))

    def find_by_email(self, email: str) -> Person | None:
        return self._find(self._tables.account.c.email == normal_email(email))

    def find_by_provider_subject(self, subject: str) -> Person | None:
        return self._find(self._tables.account.c.provider_subject == subject)

    def find(self, account_id: UUID) -> Person | None:
        return self._find(self._tables.account.c.id == account_id)

    def get(self, account_id: UUID) -> Person:
        """Raises NoSuchAccount."""
        found = self.find(account_id)
        if found is None:
            raise NoSuchAccount
        return found

    def count(self) -> int:
        """How many accounts there are; one that has ended counts, too, because a person stood behind it."""
        return self._transaction.execute(select(func.count()).select_from(self._tables.account)).scalar_one()

    def page(self, *, state: State | None = None, role: Role | None = None, after: str = "") -> Page:
        """People in the order of their e-mail addresses, a page at a time."""
        table, grants = self._tables.account, self._tables.role_grant
        wanted = select(table).where(table.c.email > after).order_by(table.c.email).limit(PAGE + 1)
        if state:
            wanted = wanted.where(table.c.state == state)
        if role:
            wanted = wanted.where(table.c.id.in_(select(grants.c.account_id).where(grants.c.role == role)))
        rows = self._transaction.execute(wanted).all()
        people = self._people(rows[:PAGE])
        return Page(people, people[-1].account.email if len(rows) > PAGE else None)

    def holders(self, *roles: Role) -> list[Account]:
        """The active accounts in which one of these roles is effective."""
        table, grants = self._tables.account, self._tables.role_grant
        having = select(grants.c.account_id).where(grants.c.role.in_(roles), grants.c.state == GrantState.EFFECTIVE)
        wanted = select(table).where(table.c.id.in_(having), table.c.state == State.ACTIVE).order_by(table.c.email)
        return [_account(row) for row in self._transaction.execute(wanted)]

    def names(self, ids: Iterable[UUID]) -> dict[UUID | None, str]:
        table = self._tables.account
        rows = self._transaction.execute(select(table.c.id, table.c.name).where(table.c.id.in_(list(ids))))
        return {row.id: row.name for row in rows}

    def everybody(self, limit: int) -> list[Account]:
        """So many accounts at most, by what people are called; those that have ended, too."""
        table = self._tables.account
        rows = self._transaction.execute(select(table).order_by(table.c.name, table.c.email).limit(limit))
        return [_account(row) for row in rows]

    def find_many(self, ids: Iterable[UUID]) -> list[Account]:
        table = self._tables.account
        return [_account(row) for row in self._transaction.execute(select(table).where(table.c.id.in_(list(ids))))]

    def add_grant(self, grant: RoleGrant) -> None:
        self._transaction.execute(self._tables.role_grant.insert().values(**asdict(grant)))

    def save_grant(self, grant: RoleGrant) -> None:
        self.remove_grant(grant.account_id, grant.role)
        self.add_grant(grant)

    def remove_grant(self, account_id: UUID, role: Role) -> None:
        table = self._tables.role_grant
        self._transaction.execute(delete(table).where(table.c.account_id == account_id, table.c.role == role))

    def waiting_grants(self) -> list[RoleGrant]:
        table = self._tables.role_grant
        rows = self._transaction.execute(
            select(table).where(table.c.state == GrantState.WAITING).order_by(table.c.granted_at)
        )
        return [_grant(row) for row in rows]

    def grants_alone(self) -> list[RoleGrant]:
        """What somebody gave to themself while nobody else had an account."""
        table = self._tables.role_grant
        rows = self._transaction.execute(select(table).where(table.c.alone).order_by(table.c.granted_at))
        return [_grant(row) for row in rows]

    def _find(self, condition: Any) -> Person | None:
        row = self._transaction.execute(select(self._tables.account).where(condition)).one_or_none()
        return self._people([row])[0] if row else None

    def _people(self, rows: Sequence[Row[Any]]) -> list[Person]:
        """Each with their roles and passkeys, in two more statements however many they are."""
        ids = [row.id for row in rows]
        grants, passkeys = self._tables.role_grant, self._tables.passkey
        given: dict[UUID, list[RoleGrant]] = {id_: [] for id_ in ids}
        for row in self._transaction.execute(
            select(grants).where(grants.c.account_id.in_(ids)).order_by(grants.c.role)
        ):
            given[row.account_id].append(_grant(row))
        counted = select(passkeys.c.account_id, func.count().label("number")).where(passkeys.c.account_id.in_(ids))
        numbers = {row.account_id: row.number for row in self._transaction.execute(counted.group_by("account_id"))}
        return [Person(_account(row), tuple(given[row.id]), numbers.get(row.id, 0)) for row in rows]


def _account(row: Row[Any]) -> Account:
    return Account(**row._mapping)


def _grant(row: Row[Any]) -> RoleGrant:
    return RoleGrant(**row._mapping)


@dataclass(frozen=True)
class Passkey:
    """A passkey that somebody added. `sign_count` shows a copied one, where the device counts."""

    id: UUID
    account_id: UUID
    credential_id: bytes
    public_key: bytes
    sign_count: int
    name: str
    added_at: datetime
    used_at: datetime | None = None


class CredentialStore:
    """Passkeys and recovery codes, in one transaction."""

    def __init__(self, transaction: Transaction, tables: AccountTables) -> None:
        self._transaction, self._tables = transaction, tables

    def passkeys(self, account_id: UUID) -> list[Passkey]:
        table = self._tables.passkey
        rows = self._transaction.execute(
            select(table).where(table.c.account_id == account_id).order_by(table.c.added_at)
        )
        return [Passkey(**row._mapping) for row in rows]

    def add_passkey(self, passkey: Passkey) -> None:
        self._transaction.execute(self._tables.passkey.insert().values(**asdict(passkey)))

    def passkey_used(self, passkey_id: UUID, *, sign_count: int, at: datetime) -> None:
        table = self._tables.passkey
        self._transaction.execute(
            update(table).where(table.c.id == passkey_id).values(sign_count=sign_count, used_at=at)
        )

    def remove_passkey(self, account_id: UUID, passkey_id: UUID) -> bool:
        table = self._tables.passkey
        removed = delete(table).where(table.c.account_id == account_id, table.c.id == passkey_id).returning(table.c.id)
        return self._transaction.execute(removed).one_or_none() is not None

    def remove_all(self, account_id: UUID) -> None:
        """Every passkey and every recovery code of an account."""
        for table in (self._tables.passkey, self._tables.recovery_code):
            self._transaction.execute(delete(table).where(table.c.account_id == account_id))

    def replace_recovery_codes(self, account_id: UUID, hashes: Iterable[bytes]) -> None:
        table = self._tables.recovery_code
        self._transaction.execute(delete(table).where(table.c.account_id == account_id))
        for hash_ in hashes:
            self._transaction.execute(table.insert().values(account_id=account_id, hash=hash_))

    def use_recovery_code(self, account_id: UUID, hash_: bytes, *, at: datetime) -> bool:
        """Whether there is such a code and it wasn't used before."""
        table = self._tables.recovery_code
        unused = (table.c.account_id == account_id, table.c.hash == hash_, table.c.used_at.is_(None))
        used = update(table).where(*unused).values(used_at=at).returning(table.c.hash)
        return self._transaction.execute(used).one_or_none() is not None

    def recovery_codes_left(self, account_id: UUID) -> int:
        table = self._tables.recovery_code
        left = select(func.count()).where(table.c.account_id == account_id, table.c.used_at.is_(None))
        return self._transaction.execute(left).scalar_one()
