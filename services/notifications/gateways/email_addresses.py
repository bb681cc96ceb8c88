"""E-mail addresses as mail servers know them: a domain outside ASCII is written in ASCII (RFC 5891)."""

from __future__ import annotations

import re
from email.utils import parseaddr

import idna

_LOCAL = re.compile(r"[^\s\x00-\x1f\x7f\ud800-\udfff<>@,;:\\\"()\[\]]+|\"[^\"\\\x00-\x1f\x7f\ud800-\udfff]+\"")
"""The part before the @: with quotation marks, or of characters that need none."""

_DOMAIN = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]|\.(?!\.)){0,252}|\[[0-9A-Fa-f:.IPv]+\]")
"""With the underscore, which mail servers accept though no host name has it."""


class NoAddress(ValueError):
    """No mail server can know such an address. The message holds no part of it."""


def as_sent_to(address: str) -> str:
    """The address with its domain in ASCII: `robin@exämple.org` as `robin@xn--exmple-cua.org`. Raises NoAddress.

    What stands before the @ is left as it is, also outside ASCII: only the server there knows what it means.
    """
    local, _, domain = address.strip().rpartition("@")
    if not _LOCAL.fullmatch(local):
        raise NoAddress("what stands before the @ is no name of a mailbox")
    if not domain.isascii():
        try:
            domain = idna.encode(domain, uts46=True).decode("ascii")
        except (idna.IDNAError, UnicodeError):
            domain = ""
    if not _DOMAIN.fullmatch(domain):
        raise NoAddress("the domain is none that can be written for a mail server")
    return f"{local}@{domain}"


def address_in(mailbox: str) -> str:
    """The address of `Name <address>`."""
    return parseaddr(mailbox)[1]
