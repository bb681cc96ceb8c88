"""Beginning, finding and ending sessions."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from web.shared.accounts.application.ground import Accounts, Work
from web.shared.accounts.domain.accounts import Person
from web.shared.accounts.domain.refusals import SessionEnded
from web.shared.accounts.domain.sessions import Session, SignedIn, has_ended
from web.shared.accounts.domain.tokens import hash_of, new_secret
from web.shared.accounts.domain.vocabulary import Factor, SignInResult, Stage, State
from web.shared.accounts.store.sessions import SignIn

TOUCHED_EVERY = timedelta(minutes=1)
"""How exactly it is known when a session was last used: not every page is a write."""

KEEP_SIGN_INS, KEEP_LINKS = timedelta(days=400), timedelta(days=30)


def begin(
    work: Work,
    person: Person,
    *,
    stage: Stage,
    browser: str,
    factor: Factor | None = None,
    ago: timedelta = timedelta(),
) -> str:
    """Begins a session, and returns its secret, which nobody knew before. `ago` is when they proved that it is them."""
    token, is_full = new_secret(), stage is Stage.FULL
    session = Session(
        token_hash=hash_of(token),
        account_id=person.account.id,
        stage=stage,
        begun_at=work.now,
        used_at=work.now,
        browser=browser,
        authenticated_at=work.now - ago if is_full else None,
        factor=factor,
    )
    work.sessions.end_old(work.now)
    work.sessions.add(session)
    return token


def complete(work: Work, session: Session, person: Person, factor: Factor) -> str:
    """The full session that follows one with the password alone. Its secret is new, so that nobody who knew the one
    before is signed in. Raises SessionEnded if the session is over: by another request of the same browser, which
    becomes one full session and no more, or because somebody ended it."""
    if not work.sessions.end(session.token_hash):
        raise SessionEnded
    return begin_full(work, person, factor, browser=session.browser)


def begin_full(work: Work, person: Person, factor: Factor, *, browser: str, ago: timedelta = timedelta()) -> str:
    """Signs somebody in who has proved that it is them."""
    account = person.account
    work.failures.forget(account.email)
    result = SignIn(work.unit.new_id(), account.id, work.now, SignInResult.SIGNED_IN, browser, factor)
    work.sessions.add_sign_in(result)
    return begin(work, person, stage=Stage.FULL, browser=browser, factor=factor, ago=ago)


def find(accounts: Accounts, token: str | None, *, is_used: bool = True) -> tuple[Session, Person] | None:
    """The session of this secret and whose it is, unless it is over. It counts as used now if somebody did something:
    not if a page that is open looks for what is new."""
    if not token:
        return None
    with accounts.reading() as work:
        session = work.sessions.find(hash_of(token))
        person = work.accounts.find(session.account_id) if session else None
        now = work.now
    if session is None or person is None or person.account.state is not State.ACTIVE:
        return None
    if has_ended(session, person.roles, at=now):
        with accounts.work() as work:
            work.sessions.end(session.token_hash)
        return None
    if is_used and now >= session.used_at + TOUCHED_EVERY:
        with accounts.work() as work:
            work.sessions.change(session.token_hash, used_at=now)
    return (replace(session, used_at=now) if is_used else session), person


def signed_in(session: Session, person: Person) -> SignedIn | None:
    """Who is signed in by a session; None until the second factor was given."""
    if session.stage is not Stage.FULL or session.authenticated_at is None or session.factor is None:
        return None
    account = person.account
    return SignedIn(
        account_id=account.id,
        name=account.name,
        email=account.email,
        roles=person.roles,
        signed_in_at=session.begun_at,
        authenticated_at=session.authenticated_at,
        factor=session.factor,
    )


def forget_old(accounts: Accounts) -> None:
    """Deletes what nobody is shown any more, and sessions that are over."""
    with accounts.work() as work:
        work.sessions.forget_sign_ins(work.now - KEEP_SIGN_INS)
        work.sessions.end_old(work.now)
        work.links.forget(work.now - KEEP_LINKS)
        work.letter_tests.forget(work.now - KEEP_SIGN_INS)
        work.prepared.forget(work.now - KEEP_SIGN_INS)


def end(accounts: Accounts, session: Session) -> None:
    with accounts.work() as work:
        work.sessions.end(session.token_hash)
