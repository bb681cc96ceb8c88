"""E-mail addresses, kept as mail servers know them: the domain in small ASCII letters (RFC 5891)."""

from __future__ import annotations

import re

from email_validator import EmailNotValidError, EmailSyntaxError, validate_email
from marshmallow import ValidationError, validate

from contracts.typed.faults import Fault, Unreadable
from contracts.typed.numbers import plain

MOST_CHARACTERS, MOST_BEFORE_AT = 254, 64


def read_email(text: str) -> str:
    """The address, with a domain of other letters as it is written for mail servers. Raises Unreadable.

    Nobody is asked whether there is such an address.
    """
    typed = plain(text)
    typed = re.sub(r"^mailto:\s*", "", typed, flags=re.IGNORECASE).lstrip("<").rstrip(">,;. \t\n")
    typed = re.sub(r"\s*@\s*", "@", typed)
    if typed.count("@") > 1:
        raise Unreadable(Fault.EMAIL_SEVERAL)
    local, at, domain = typed.partition("@")
    if not (local and at and domain):
        raise Unreadable(Fault.EMAIL)
    if re.search(r"\s", typed):
        raise Unreadable(Fault.EMAIL_SPACE)
    if not local.isascii():
        raise Unreadable(Fault.EMAIL_LETTERS)
    return _checked(local, domain)


def _checked(local: str, domain: str) -> str:
    try:
        address = validate_email(f"{local}@{domain}", check_deliverability=False).ascii_email
    except EmailSyntaxError:
        raise Unreadable(_where(local)) from None
    except EmailNotValidError:
        raise Unreadable(Fault.EMAIL_DOMAIN) from None
    if not address or len(local) > MOST_BEFORE_AT or len(address) > MOST_CHARACTERS or not _fits(address):
        raise Unreadable(Fault.EMAIL)
    return address


def _where(local: str) -> Fault:
    """Whether the mailbox alone would do, so that it is the domain that is wrong."""
    try:
        validate_email(f"{local}@example.org", check_deliverability=False)
    except EmailNotValidError:
        return Fault.EMAIL
    return Fault.EMAIL_DOMAIN


def _fits(address: str) -> bool:
    """As strict as the sealed form's own check, so that nothing is found wrong only when it is sent."""
    try:
        validate.Email()(address)
    except ValidationError:
        return False
    return True
