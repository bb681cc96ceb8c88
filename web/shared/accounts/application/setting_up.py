"""Setting an account up: a one-time link, a password, a second factor, recovery codes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import UUID

from chassis.audit.chain import AuditAction
from contracts.permissions import Role
from web.shared.accounts.application import sessions
from web.shared.accounts.application.ground import Accounts, Work
from web.shared.accounts.domain import grants
from web.shared.accounts.domain.accounts import Account, Person, normal_email
from web.shared.accounts.domain.codes import (
    accepted_step,
    hash_of_recovery_code,
    new_recovery_codes,
    new_totp_secret,
    totp_address,
)
from web.shared.accounts.domain.refusals import EmailTaken, LastFactor, LinkUsedUp, SessionEnded
from web.shared.accounts.domain.sessions import Session
from web.shared.accounts.domain.tokens import hash_of
from web.shared.accounts.domain.vocabulary import Factor, LinkKind, Stage, State
from web.shared.accounts.store.repository import Passkey
from web.shared.accounts.store.sessions import Link

MOST_PASSKEYS = 10


@dataclass(frozen=True)
class Opened:
    """What an open link leads to; `person` is None for the first administrator."""

    link: Link
    person: Person | None


class WrongCode(Exception):
    """The code isn't the app's, or the browser's answer isn't the key's."""


def open_link(accounts: Accounts, token: str) -> Opened:
    """Looks, and uses nothing up. Raises LinkUsedUp."""
    with accounts.reading() as work:
        return _opened(work, token)


def set_password(accounts: Accounts, token: str, *, password: str, email: str, name: str, browser: str) -> str:
    """Uses the link up: the account has this password, and nothing else that it had. Returns the session in which the
    second factor is added. `email` and `name` count for the first administrator alone, since others have theirs.

    Raises LinkUsedUp, EmailTaken.
    """
    hashed = accounts.passwords.hash(password)
    with accounts.work() as work:
        opened = _opened(work, token)
        if not work.links.use(opened.link.token_hash, at=work.now):
            raise LinkUsedUp
        person = opened.person or _first_administrator(accounts, work, email=email, name=name)
        account = replace(person.account, state=State.ACTIVE, password_hash=hashed, totp_secret=None, totp_step=None)
        work.accounts.save(account)
        work.credentials.remove_all(account.id)
        work.sessions.end_all(account.id)
        work.failures.forget(account.email)
        work.record(AuditAction.ACCOUNT_SET_UP, who=account.id, about=account.id, reason=opened.link.kind)
        return sessions.begin(work, replace(person, account=account), stage=Stage.SET_UP, browser=browser)


def begin_app(accounts: Accounts, session: Session, person: Person) -> tuple[str, str]:
    """The secret for an authenticator app, and the address that its QR code holds. Asked again, it is the same."""
    account_id = session.account_id
    if session.totp_secret:
        secret = accounts.cipher.decrypt(session.totp_secret, account_id)
    else:
        secret = new_totp_secret()
        with accounts.work() as work:
            work.sessions.change(session.token_hash, totp_secret=accounts.cipher.encrypt(secret, account_id))
    return secret, totp_address(secret, email=person.account.email, issuer=accounts.relying_party.name)


@dataclass(frozen=True)
class Added:
    """A second factor was added. `token` is the new session's secret, and `codes` the recovery codes, if it is the
    first one."""

    token: str | None = None
    codes: tuple[str, ...] = ()


def add_app(accounts: Accounts, session: Session, code: str) -> Added:
    """Adds the app, in the place of the one before. Raises WrongCode, SessionEnded."""
    if session.totp_secret is None:
        raise WrongCode
    secret = accounts.cipher.decrypt(session.totp_secret, session.account_id)
    with accounts.work() as work:
        person = work.accounts.get(session.account_id)
        step = accepted_step(secret, code, at=work.now, last=None)
        if step is None:
            raise WrongCode
        work.accounts.save(replace(person.account, totp_secret=session.totp_secret, totp_step=step))
        work.sessions.change(session.token_hash, totp_secret=None)
        return _added(work, session, person, Factor.CODE)


def begin_passkey(accounts: Accounts, session: Session, person: Person) -> str:
    """What the browser is asked, as JSON."""
    account = person.account
    with accounts.work() as work:
        known = [passkey.credential_id for passkey in work.credentials.passkeys(account.id)]
        asked = accounts.relying_party.ask_for_new(account.id, email=account.email, name=account.name, known=known)
        work.sessions.change(session.token_hash, challenge=asked.challenge)
    return asked.options


def add_passkey(accounts: Accounts, session: Session, answer: str, name: str) -> Added:
    """Raises WrongCode, SessionEnded."""
    key = accounts.relying_party.new_key(answer, session.challenge) if session.challenge else None
    with accounts.work() as work:
        work.sessions.change(session.token_hash, challenge=None)
        person = work.accounts.get(session.account_id)
        if key and person.passkeys < MOST_PASSKEYS:
            passkey = Passkey(
                id=work.unit.new_id(),
                account_id=session.account_id,
                credential_id=key.credential_id,
                public_key=key.public_key,
                sign_count=key.sign_count,
                name=name,
                added_at=work.now,
            )
            work.credentials.add_passkey(passkey)
            return _added(work, session, person, Factor.PASSKEY)
    raise WrongCode


def remove_passkey(accounts: Accounts, account_id: UUID, passkey_id: UUID) -> None:
    """Raises LastFactor."""
    with accounts.work() as work:
        person = work.accounts.get(account_id)
        if person.passkeys == 1 and person.account.totp_secret is None:
            raise LastFactor
        if work.credentials.remove_passkey(account_id, passkey_id):
            work.record(AuditAction.FACTOR_REMOVED, who=account_id, about=account_id, reason=Factor.PASSKEY)


def remove_app(accounts: Accounts, account_id: UUID) -> None:
    """Raises LastFactor."""
    with accounts.work() as work:
        person = work.accounts.get(account_id)
        if not person.passkeys:
            raise LastFactor
        work.accounts.save(replace(person.account, totp_secret=None, totp_step=None))
        work.record(AuditAction.FACTOR_REMOVED, who=account_id, about=account_id, reason=Factor.CODE)


def change_password(accounts: Accounts, session: Session, password: str) -> None:
    """Ends every other session, because somebody who knew the old password may have one."""
    hashed = accounts.passwords.hash(password)
    with accounts.work() as work:
        person = work.accounts.get(session.account_id)
        work.accounts.save(replace(person.account, password_hash=hashed))
        work.sessions.end_all(session.account_id, but=session.token_hash)
        work.record(AuditAction.PASSWORD_CHANGED, who=session.account_id, about=session.account_id)


def make_recovery_codes(accounts: Accounts, account_id: UUID) -> tuple[str, ...]:
    """New codes, to be shown once; those before open nothing any more."""
    with accounts.work() as work:
        return _new_codes(work, account_id)


def _opened(work: Work, token: str) -> Opened:
    link = work.links.find(hash_of(token))
    if link is None or not link.is_open(work.now):
        raise LinkUsedUp
    if link.kind is LinkKind.FIRST_ADMINISTRATOR:
        if work.accounts.count():
            raise LinkUsedUp
        return Opened(link, None)
    person = work.accounts.find(link.account_id) if link.account_id else None
    expected = State.INVITED if link.kind is LinkKind.INVITATION else State.ACTIVE
    if person is None or person.account.state is not expected:
        raise LinkUsedUp
    return Opened(link, person)


def _first_administrator(accounts: Accounts, work: Work, *, email: str, name: str) -> Person:
    if work.accounts.find_by_email(email):
        raise EmailTaken
    account = Account(work.unit.new_id(), normal_email(email), name, State.ACTIVE, work.now)
    role = grants.grant(
        Role.ADMINISTRATOR,
        to=account.id,
        by=account.id,
        has=(),
        allowed=accounts.roles,
        accounts=1,
        policy=accounts.policy,
        at=work.now,
    )
    work.accounts.add(account)
    work.accounts.add_grant(role)
    work.record(AuditAction.ROLE_GRANTED, who=account.id, about=account.id, reason=role.role)
    return Person(account, (role,))


def _added(work: Work, session: Session, person: Person, factor: Factor) -> Added:
    """What follows from a new second factor: with the first one the person is signed in, and given recovery codes.

    `person` is as before. Raises SessionEnded if they have got one elsewhere since they began with their password
    alone, which is no longer enough to add another.
    """
    account_id = session.account_id
    work.record(AuditAction.FACTOR_ADDED, who=account_id, about=account_id, reason=factor)
    if session.stage is not Stage.SET_UP:
        return Added()
    if person.has_second_factor:
        raise SessionEnded
    return Added(sessions.complete(work, session, person, factor), _new_codes(work, account_id))


def _new_codes(work: Work, account_id: UUID) -> tuple[str, ...]:
    codes = new_recovery_codes()
    hashes = [hash_of_recovery_code(code, account=str(account_id)) for code in codes]
    work.credentials.replace_recovery_codes(account_id, hashes)
    work.record(AuditAction.RECOVERY_CODES_MADE, who=account_id, about=account_id)
    return codes
