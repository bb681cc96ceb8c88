"""Trying out that letters arrive: one with a code is sent to whoever asks, and they type the code."""

from __future__ import annotations

import hashlib
import secrets
from uuid import UUID

from web.shared.accounts.application.ground import Accounts
from web.shared.accounts.domain.letter_tests import LetterTest
from web.shared.accounts.domain.refusals import CodeUsedUp

DIGITS = 6


def send(accounts: Accounts, account_id: UUID, *, id_: UUID) -> None:
    """Sends a letter with a new code, once for one identifier. Raises NoSuchAccount."""
    with accounts.work() as work:
        if work.letter_tests.find(id_):
            return
        account = work.accounts.get(account_id).account
        code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"
        work.letter_tests.add(LetterTest(id_, account_id, _hash(id_, code), work.now))
        accounts.mailer.test(work.unit, account, test_id=id_, code=code)


def arrived(accounts: Accounts, account_id: UUID, code: str) -> bool:
    """Whether this is the code of the newest letter that they asked for. Raises CodeUsedUp."""
    with accounts.work() as work:
        test = work.letter_tests.newest_of(account_id)
        if test is None:
            raise CodeUsedUp
        typed = test.typed(_hash(test.id, "".join(code.split())), at=work.now)
        work.letter_tests.save(typed)
        return typed.arrived_at is not None


def _hash(id_: UUID, code: str) -> bytes:
    return hashlib.sha256(id_.bytes + code.encode(errors="replace")).digest()
