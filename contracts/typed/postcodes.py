"""Where somebody is: a UK postcode or its first half, a Forces address, or no fixed abode.

Which letters may stand in which place is as the ONS Postcode Directory has it, live and terminated postcodes together:
no I, O, Q or Z where a digit could be meant. Whether there is such a postcode, intake knows.
"""

from __future__ import annotations

import re

from contracts.typed.faults import Fault, Unreadable
from contracts.typed.numbers import plain

FORCES = "BFPO"
"""How an address of a British Forces Post Office begins."""

NO_FIXED_ABODE = "ZZ99 3VZ"
"""The NHS's pseudo-postcode for it (NHS Organisation Data Service). It is read back as itself."""

_ABODE = frozenset(
    {"nofixedabode", "nofixedaddress", "noabode", "noaddress", "nfa", "homeless", "iamhomeless", "imhomeless",
     "dimcyfeiriadsefydlog", "dimcartrefsefydlog", "digartref", "dimcyfeiriad"}
)  # fmt: skip
_OUTWARD = re.compile(
    r"[A-PR-UWYZ][0-9][0-9A-HJKMNPR-Y]?|[A-PR-UWYZ][A-IK-Y][0-9][0-9ABEHMNPRVWXY]?|ZZ99",
)
_INWARD = re.compile(r"[0-9][ABD-HJLNP-Z]{2}")
_FORCES = re.compile(r"BFPO(?:CO)?([0-9]{1,4})")
_SIGNS = re.compile(r"[^A-Z0-9\s]")


def read_postcode(text: str) -> str:
    """`NP20 4UR`, `NP20`, `BFPO 61`, or NO_FIXED_ABODE. Raises Unreadable.

    Spaces may stand anywhere. Any other sign may have been meant as a letter or a digit, as in `NP2) 4UR`, so that the
    whole is asked again.
    """
    typed = plain(text).upper().rstrip(".,; ")
    letters = "".join(filter(str.isalnum, typed))
    if letters.lower() in _ABODE:
        return NO_FIXED_ABODE
    if forces := _FORCES.fullmatch(letters):
        return f"{FORCES} {forces[1]}"
    if _SIGNS.search(typed):
        raise Unreadable(Fault.POSTCODE_SIGN)
    return _halves(typed.split())


def is_whole(postcode: str) -> bool:
    """Whether a postcode as `read_postcode` returns it is more than its first half."""
    return " " in postcode and not postcode.startswith(FORCES)


def _halves(words: list[str]) -> str:
    plain_ = "".join(words)
    outward, inward = plain_[:-3], plain_[-3:]
    if _INWARD.fullmatch(inward) and _OUTWARD.fullmatch(outward):
        return f"{outward} {inward}"
    if _OUTWARD.fullmatch(plain_) and not _is_cut_short(words):
        return plain_
    begun = any(_OUTWARD.fullmatch(plain_[:length]) for length in range(2, 5))
    raise Unreadable(Fault.POSTCODE_PART if begun and len(plain_) < 7 else Fault.POSTCODE)


def _is_cut_short(words: list[str]) -> bool:
    """`N1 4` is N1 with something after it, and not N14."""
    return len(words) > 1 and _OUTWARD.fullmatch(words[0]) is not None
