"""The words by which a client is known: how they are compared, and how many wrong tries are let pass."""

from __future__ import annotations

import re
import unicodedata
from datetime import timedelta

TRIES_BEFORE_LOCK = 5
LOCK = timedelta(minutes=15)
"""After so many wrong tries nothing opens a request for so long, not even the right words."""

MINUS = "\u2212"
_QUOTES = "'\"`\u00b4\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\u2039\u203a\u00ab\u00bb\u2032\u2033\u02bc"
_SAME = str.maketrans(dict.fromkeys(_QUOTES, "'"))


def folded(passphrase: str) -> str:
    """The words without what is typed one way here and another way there: case, the number of spaces, and the kinds
    of quotes and dashes, of which a telephone makes one out of two."""
    plain = " ".join(unicodedata.normalize("NFKC", passphrase.translate(_SAME)).casefold().split())
    kinds = ("-" if unicodedata.category(sign) == "Pd" or sign == MINUS else sign for sign in plain)
    return re.sub(" ?-+ ?", "-", "".join(kinds).replace("''", "'"))
