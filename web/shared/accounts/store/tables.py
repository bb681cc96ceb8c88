"""The tables of accounts, beside what every store of the chassis has: the store of an application with accounts."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    Uuid,
)

from chassis.store.tables import Instant, code, new_metadata
from contracts.permissions import Role
from web.shared.accounts.domain.saved_views import LONGEST_NAME, LONGEST_PATH
from web.shared.accounts.domain.vocabulary import (
    Factor,
    GrantState,
    LinkKind,
    PreparedState,
    SignInResult,
    Stage,
    State,
)


@dataclass(frozen=True)
class AccountTables:
    account: Table
    role_grant: Table
    passkey: Table
    recovery_code: Table
    session: Table
    sign_in: Table
    failure: Table
    one_time_link: Table
    prepared_command: Table
    letter_test: Table
    saved_view: Table


def account_tables(metadata: MetaData) -> AccountTables:
    """Adds the tables to an application's metadata."""
    return AccountTables(
        account=_account(metadata),
        role_grant=_role_grant(metadata),
        passkey=_passkey(metadata),
        recovery_code=_recovery_code(metadata),
        session=_session(metadata),
        sign_in=_sign_in(metadata),
        failure=_failure(metadata),
        one_time_link=_one_time_link(metadata),
        prepared_command=_prepared_command(metadata),
        letter_test=_letter_test(metadata),
        saved_view=_saved_view(metadata),
    )


def _account(metadata: MetaData) -> Table:
    return Table(
        "account",
        metadata,
        Column("id", Uuid, primary_key=True),
        Column("email", String(254), nullable=False, unique=True),  # in lower case
        Column("name", String(120), nullable=False),
        Column("state", code(State), nullable=False),
        Column("created_at", Instant, nullable=False),
        Column("password_hash", String(200)),
        Column("totp_secret", LargeBinary),  # encrypted
        Column("totp_step", Integer),
        Column("provider_subject", String(400), unique=True),
    )


def _role_grant(metadata: MetaData) -> Table:
    return Table(
        "role_grant",
        metadata,
        Column("account_id", Uuid, ForeignKey("account.id"), primary_key=True),
        Column("role", code(Role), primary_key=True),
        Column("state", code(GrantState), nullable=False),
        Column("granted_by", Uuid),
        Column("granted_at", Instant, nullable=False),
        Column("alone", Boolean, nullable=False),
        Column("confirmed_by", Uuid),
        Column("confirmed_at", Instant),
    )


def _passkey(metadata: MetaData) -> Table:
    return Table(
        "passkey",
        metadata,
        Column("id", Uuid, primary_key=True),
        Column("account_id", Uuid, ForeignKey("account.id"), nullable=False, index=True),
        Column("credential_id", LargeBinary, nullable=False),
        Column("public_key", LargeBinary, nullable=False),
        Column("sign_count", Integer, nullable=False),
        Column("name", String(60), nullable=False),
        Column("added_at", Instant, nullable=False),
        Column("used_at", Instant),
        UniqueConstraint("credential_id"),
    )


def _recovery_code(metadata: MetaData) -> Table:
    return Table(
        "recovery_code",
        metadata,
        Column("account_id", Uuid, ForeignKey("account.id"), primary_key=True),
        Column("hash", LargeBinary(32), primary_key=True),
        Column("used_at", Instant),
    )


def _session(metadata: MetaData) -> Table:
    return Table(
        "session",
        metadata,
        Column("token_hash", LargeBinary(32), primary_key=True),
        Column("account_id", Uuid, ForeignKey("account.id"), nullable=False, index=True),
        Column("stage", code(Stage), nullable=False),
        Column("begun_at", Instant, nullable=False),
        Column("used_at", Instant, nullable=False),
        Column("browser", String(60), nullable=False),
        Column("authenticated_at", Instant),
        Column("factor", code(Factor)),
        Column("challenge", LargeBinary),
        Column("totp_secret", LargeBinary),  # encrypted
    )


def _sign_in(metadata: MetaData) -> Table:
    """What a person is shown of who signed in as them, or tried to."""
    return Table(
        "sign_in",
        metadata,
        Column("id", Uuid, primary_key=True),
        Column("account_id", Uuid, ForeignKey("account.id"), nullable=False),
        Column("at", Instant, nullable=False),
        Column("result", code(SignInResult), nullable=False),
        Column("factor", code(Factor)),
        Column("browser", String(60), nullable=False),
        Index("ix_sign_in_account_id_at", "account_id", "at"),
    )


def _failure(metadata: MetaData) -> Table:
    """Failures of the last minutes, also for e-mail addresses that nobody has an account with."""
    return Table(
        "sign_in_failure",
        metadata,
        Column("id", Uuid, primary_key=True),
        Column("email_hash", LargeBinary(32), nullable=False, index=True),
        Column("at", Instant, nullable=False, index=True),
    )


def _one_time_link(metadata: MetaData) -> Table:
    return Table(
        "one_time_link",
        metadata,
        Column("token_hash", LargeBinary(32), primary_key=True),
        Column("kind", code(LinkKind), nullable=False),
        Column("account_id", Uuid, ForeignKey("account.id"), index=True),  # none for the first administrator
        Column("made_at", Instant, nullable=False),
        Column("expires_at", Instant, nullable=False),
        Column("used_at", Instant),
    )


def _prepared_command(metadata: MetaData) -> Table:
    """Commands that wait for a second person, and what became of them; never with personal data."""
    return Table(
        "prepared_command",
        metadata,
        Column("id", Uuid, primary_key=True),
        Column("service", String(40), nullable=False),
        Column("command", String(40), nullable=False),
        Column("fields", JSON, nullable=False),
        Column("prepared_by", Uuid, ForeignKey("account.id"), nullable=False),
        Column("prepared_at", Instant, nullable=False),
        Column("signed_in_at", Instant, nullable=False),
        Column("factor", code(Factor), nullable=False),
        Column("until", Instant, nullable=False),
        Column("state", code(PreparedState), nullable=False),
        Column("decided_by", Uuid, ForeignKey("account.id")),
    )


def _letter_test(metadata: MetaData) -> Table:
    """Letters by which somebody tried out, before the service opens, that letters arrive."""
    return Table(
        "letter_test",
        metadata,
        Column("id", Uuid, primary_key=True),
        Column("account_id", Uuid, ForeignKey("account.id"), nullable=False, index=True),
        Column("code_hash", LargeBinary(32), nullable=False),
        Column("sent_at", Instant, nullable=False),
        Column("tries", Integer, nullable=False),
        Column("arrived_at", Instant),
    )


def _saved_view(metadata: MetaData) -> Table:
    """Lists with their filters that somebody wants to see again; nobody else sees them."""
    return Table(
        "saved_view",
        metadata,
        Column("id", Uuid, primary_key=True),
        Column("account_id", Uuid, ForeignKey("account.id"), nullable=False),
        Column("name", String(LONGEST_NAME), nullable=False),
        Column("path", String(LONGEST_PATH), nullable=False),
        Column("saved_at", Instant, nullable=False),
        UniqueConstraint("account_id", "name"),
    )


metadata = new_metadata()

accounts = account_tables(metadata)
