"""Signing in: password first, then a second factor. Whoever isn't let in learns nothing about which accounts exist."""

from __future__ import annotations

from dataclasses import replace

from chassis.audit.chain import AuditAction
from contracts.accounts import StaffMatter
from web.shared.accounts.application import sessions
from web.shared.accounts.application.ground import Accounts, Work
from web.shared.accounts.domain.accounts import Person
from web.shared.accounts.domain.codes import accepted_step, hash_of_recovery_code
from web.shared.accounts.domain.sessions import Session
from web.shared.accounts.domain.vocabulary import Factor, SignInResult, Stage, State
from web.shared.accounts.store.sessions import SignIn


class NotLetIn(Exception):
    """Wrong; the same for an unknown e-mail address, a wrong password, and an account that is locked or has ended."""


class TooManyFailures(Exception):
    """Too many failed lately for this e-mail address, whether or not there is an account, or for all together."""


def with_password(
    accounts: Accounts, *, email: str, password: str, browser: str, replaces: Session | None = None
) -> tuple[str, Stage]:
    """A session that waits for the second factor, in the place of one that the browser had. Raises NotLetIn,
    TooManyFailures."""
    with accounts.reading() as work:
        person, is_stopped = work.accounts.find_by_email(email), work.failures.is_locked(email, at=work.now)
    if is_stopped:
        raise TooManyFailures
    hashed = _password_of(person)
    is_right = accounts.passwords.are_right(hashed, password)  # takes long, and so happens outside of the transaction
    with accounts.work() as work:
        # Meanwhile others may have failed, the account may have been locked, and the password changed.
        is_stopped, person = work.failures.is_locked(email, at=work.now), work.accounts.find_by_email(email)
        if person is not None and is_right and _password_of(person) == hashed and not is_stopped:
            if replaces:
                work.sessions.end(replaces.token_hash)
            stage = Stage.PASSWORD if person.has_second_factor else Stage.SET_UP
            return sessions.begin(work, person, stage=stage, browser=browser), stage
        _failed(work, email, person, SignInResult.WRONG_PASSWORD, browser)
    raise TooManyFailures if is_stopped else NotLetIn


def with_code(accounts: Accounts, session: Session, code: str) -> str:
    """Signs in by a code of the app, or by a recovery code, each once. Raises NotLetIn, TooManyFailures,
    SessionEnded."""
    with accounts.work() as work:
        person = work.accounts.get(session.account_id)
        is_stopped = work.failures.is_locked(person.account.email, at=work.now)
        factor = None if is_stopped else _factor_of(accounts, work, person, code)
        if factor:
            return sessions.complete(work, session, person, factor)
        _failed(work, person.account.email, person, SignInResult.WRONG_FACTOR, session.browser)
    raise TooManyFailures if is_stopped else NotLetIn


def ask_for_passkey(accounts: Accounts, session: Session) -> str | None:
    """What the browser is asked, as JSON; None if the person has no passkey."""
    with accounts.work() as work:
        known = [passkey.credential_id for passkey in work.credentials.passkeys(session.account_id)]
        if not known:
            return None
        asked = accounts.relying_party.ask_for_known(known)
        work.sessions.change(session.token_hash, challenge=asked.challenge)
    return asked.options


def with_passkey(accounts: Accounts, session: Session, credential_id: bytes, answer: str) -> str:
    """Signs in by a passkey's answer to the challenge of this session. Raises NotLetIn, TooManyFailures,
    SessionEnded."""
    with accounts.work() as work:
        person = work.accounts.get(session.account_id)
        is_stopped = work.failures.is_locked(person.account.email, at=work.now)
        work.sessions.change(session.token_hash, challenge=None)  # each is answered once
        if not is_stopped and _is_right_passkey(accounts, work, session, credential_id, answer):
            return sessions.complete(work, session, person, Factor.PASSKEY)
        _failed(work, person.account.email, person, SignInResult.WRONG_FACTOR, session.browser)
    raise TooManyFailures if is_stopped else NotLetIn


def _password_of(person: Person | None) -> str | None:
    """The hash of the password by which somebody may sign in now; None if there is none."""
    return person.account.password_hash if person and person.account.state is State.ACTIVE else None


def _factor_of(accounts: Accounts, work: Work, person: Person, code: str) -> Factor | None:
    """What this code is, which is used up by that."""
    account = person.account
    if account.totp_secret:
        secret = accounts.cipher.decrypt(account.totp_secret, account.id)
        step = accepted_step(secret, code, at=work.now, last=account.totp_step)
        if step is not None:
            work.accounts.save(replace(account, totp_step=step))
            return Factor.CODE
    hashed = hash_of_recovery_code(code, account=str(account.id))
    if not work.credentials.use_recovery_code(account.id, hashed, at=work.now):
        return None
    work.record(AuditAction.RECOVERY_CODE_USED, who=account.id, about=account.id)
    accounts.mailer.tell(work.unit, account, matter=StaffMatter.RECOVERY_CODE_USED, about=account, role=None)
    return Factor.RECOVERY_CODE


def _is_right_passkey(accounts: Accounts, work: Work, session: Session, credential_id: bytes, answer: str) -> bool:
    known = work.credentials.passkeys(session.account_id)
    passkey = next((passkey for passkey in known if passkey.credential_id == credential_id), None)
    if passkey is None or session.challenge is None:
        return False
    count = accounts.relying_party.sign_count(
        answer, session.challenge, public_key=passkey.public_key, last=passkey.sign_count
    )
    if count is not None:
        work.credentials.passkey_used(passkey.id, sign_count=count, at=work.now)
    return count is not None


def _failed(work: Work, email: str, person: Person | None, result: SignInResult, browser: str) -> None:
    was_stopped = work.failures.is_locked(email, at=work.now)
    if not was_stopped:
        work.failures.add(work.unit.new_id(), email, at=work.now)
    if person is None:
        return
    account_id = person.account.id
    result = SignInResult.LOCKED if was_stopped else result
    work.sessions.add_sign_in(SignIn(work.unit.new_id(), account_id, work.now, result, browser))
    if not was_stopped and work.failures.is_locked(email, at=work.now):
        work.record(AuditAction.SIGN_INS_STOPPED, who="rule", about=account_id)
