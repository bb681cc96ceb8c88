"""Which language an interpreter is asked for in, read from a client's own words."""

from __future__ import annotations

import re

INTERPRETED = {
    "polish": "pl",
    "romanian": "ro",
    "panjabi": "pa",
    "punjabi": "pa",
    "urdu": "ur",
    "portuguese": "pt",
    "spanish": "es",
    "arabic": "ar",
    "bengali": "bn",
    "gujarati": "gu",
    "italian": "it",
    "welsh": "cy",
    "british sign language": "bfi",
    "bsl": "bfi",
}
"""The main languages besides English of the Census of England and Wales 2021 (ONS), and British Sign Language."""

UNDETERMINED = "und"


def language_of(interpreter: str | None) -> str | None:
    """The language of the interpreter that somebody asked for in their own words; `und` if it can't be told."""
    if not (interpreter or "").strip():
        return None
    text = (interpreter or "").casefold()
    found = (code for name, code in INTERPRETED.items() if re.search(rf"\b{name}\b", text))
    return next(found, UNDETERMINED)
