"""A client's passphrase: how it is compared, and how many wrong tries are allowed."""

from __future__ import annotations

import re
import unicodedata
from datetime import timedelta

TRIES_BEFORE_LOCK = 5
LOCK = timedelta(minutes=15)
"""How long a request stays locked after that many wrong tries, even for the right passphrase."""

MINUS = "\u2212"
_QUOTES = "'\"`\u00b4\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\u2039\u203a\u00ab\u00bb\u2032\u2033\u02bc"
_SAME = str.maketrans(dict.fromkeys(_QUOTES, "'"))


def folded(passphrase: str) -> str:
    """The passphrase without what differs between keyboards: case, the number of spaces, and the kinds of quotes and
    dashes (a telephone turns two into one)."""
    plain = " ".join(unicodedata.normalize("NFKC", passphrase.translate(_SAME)).casefold().split())
    kinds = ("-" if unicodedata.category(sign) == "Pd" or sign == MINUS else sign for sign in plain)
    return re.sub(" ?-+ ?", "-", "".join(kinds).replace("''", "'"))
