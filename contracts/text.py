"""Which characters text may hold: whatever people write, and nothing that can't be stored or misleads its reader.

Letters of every script, emoji with their joiners and flags, tabs, line breaks, and the marks that Arabic and Hebrew
writers type (U+061C, U+200E, U+200F) all pass. What doesn't is invisible, so taking it out changes nothing that was
meant: control characters other than white space, halves of characters, and the controls that make the text after them
run the other way, by which a name can be made to look like another.
"""

from __future__ import annotations

import re

CONTROLS = r"\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f"
HALVES = r"\ud800-\udfff"
"""Surrogates: what is left of an emoji that was cut in two. They can't be written as UTF-8."""
DIRECTIONS = r"\u202a-\u202e\u2066-\u2069"

_UNFIT = re.compile(f"[{CONTROLS}{HALVES}{DIRECTIONS}]")
_FAULTS = {"control": re.compile(f"[{CONTROLS}]"), "half": re.compile(f"[{HALVES}]")}


def fits(text: str) -> bool:
    """Whether every character may be there. Nothing that is printable needs to be looked at twice."""
    return text.isprintable() or _UNFIT.search(text) is None


def fault_of(text: str) -> str:
    """What is wrong with text that doesn't fit: `control`, `half` or `direction`."""
    return next((fault for fault, pattern in _FAULTS.items() if pattern.search(text)), "direction")


def clean(text: str) -> str:
    """The text without what may not be there."""
    return text if text.isprintable() else _UNFIT.sub("", text)


def visible(text: str) -> str:
    """The text without whatever can't be seen, for what is a code rather than words: an address, a number."""
    return "".join(character for character in text if character.isprintable() or character.isspace())
