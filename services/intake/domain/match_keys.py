"""Match keys: what two requests of one person have in common, in a form that nobody can read.

Each match key (a blind index) is an HMAC-SHA256 of a normalised value under a secret key of its kind, derived from the
service's master key. Whoever has only the database can neither read a value from a match key nor try one out.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata
from collections.abc import Mapping
from datetime import date

from contracts.typed.names import fold_name, name_forms
from contracts.vocabulary import MarkKind


def hmac_keys_of(master_key: bytes) -> dict[MarkKind, bytes]:
    """A secret key for each kind of match key, derived from the service's master key."""
    return {kind: hmac.new(master_key, f"blind index: {kind}".encode(), hashlib.sha256).digest() for kind in MarkKind}


def match_keys_of(
    *,
    email: str | None,
    telephone: str | None,
    name: str | None,
    date_of_birth: date | None,
    keys: Mapping[MarkKind, bytes],
) -> dict[MarkKind, bytes]:
    """The match keys of what is known of a person, 32 bytes each. A name alone is too common to be one."""
    values = {
        MarkKind.EMAIL: email and normal_email(email),
        MarkKind.TELEPHONE: telephone and normal_telephone(telephone),
        MarkKind.NAME_AND_BIRTH: name and date_of_birth and f"{fold_name(name)} {date_of_birth.isoformat()}",
    }
    return {kind: _match_key(kind, value, keys) for kind, value in values.items() if value}


def alternative_match_keys_of(
    *, name: str | None, date_of_birth: date | None, keys: Mapping[MarkKind, bytes]
) -> frozenset[bytes]:
    """Match keys under which the same name and date may be stored: hyphenated otherwise, or by an older rule."""
    if not (name and date_of_birth):
        return frozenset()
    values = (f"{form} {date_of_birth.isoformat()}" for form in name_forms(name))
    return frozenset(_match_key(MarkKind.NAME_AND_BIRTH, value, keys) for value in values)


def normal_email(text: str) -> str:
    """Case is folded: no provider that people use tells `Robin@` from `robin@`."""
    return unicodedata.normalize("NFKC", text).strip().casefold()


def normal_telephone(text: str) -> str:
    """National digits with a leading 0, from `+44 (0)1632 960 001`, `0044…`, `44…` or `01632…`; no extension."""
    digits = re.sub(r"\D", "", unicodedata.normalize("NFKC", text.partition(";ext=")[0]))
    national = re.sub(r"^(00)?44(?=\d{9,})0?", "0", digits)
    return national if national.startswith("0") else f"0{national}"


def _match_key(kind: MarkKind, value: str, keys: Mapping[MarkKind, bytes]) -> bytes:
    return hmac.new(keys[kind], value.encode(), hashlib.sha256).digest()
