"""A referral's reference: short enough to read over the telephone, with a check character that catches slips.

Eight characters carry the identity and a ninth checks it. The 31 characters leave out 0, 1, I, L and O, which are
mistaken for one another. 31 is prime, so a weighted sum modulo 31 finds every single wrong character and every
exchange of two (the argument behind ISBN-10's modulo 11).
"""

from __future__ import annotations

import hashlib
import re
from uuid import UUID

from contracts.text import visible

ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
LENGTH = 8
_WEIGHTS = range(2, LENGTH + 2)
_WORDS = {
    "A": "Alfa", "B": "Bravo", "C": "Charlie", "D": "Delta", "E": "Echo", "F": "Foxtrot", "G": "Golf", "H": "Hotel",
    "J": "Juliett", "K": "Kilo", "M": "Mike", "N": "November", "P": "Papa", "Q": "Quebec", "R": "Romeo", "S": "Sierra",
    "T": "Tango", "U": "Uniform", "V": "Victor", "W": "Whiskey", "X": "X-ray", "Y": "Yankee", "Z": "Zulu",
    "2": "two", "3": "three", "4": "four", "5": "five", "6": "six", "7": "seven", "8": "eight", "9": "nine",
}  # fmt: skip


class InvalidReference(ValueError):
    """What was typed is no reference; the message tells the person what to look at."""


def reference_for(submission_id: UUID, attempt: int = 0) -> str:
    """The reference of a submission, such as `9C28-SAU2-5`.

    It depends on the submission alone, so that a front-end that publishes and reads nothing can show it at once.
    Intake takes `attempt` 1, 2, … in the rare case that another referral already has it.
    """
    digest = hashlib.sha256(submission_id.bytes + attempt.to_bytes(2, "big")).digest()
    number = int.from_bytes(digest, "big")
    body = ""
    for _ in range(LENGTH):
        number, index = divmod(number, len(ALPHABET))
        body += ALPHABET[index]
    return _format(body + _check_character(body))


def parse_reference(text: str) -> str:
    """What a person typed, in the one form it is stored in. Case, spaces, dashes and what can't be seen are forgiven.

    Raises InvalidReference.
    """
    plain = re.sub(r"[\s\-‐-―.]", "", visible(text)).upper()
    if len(plain) != LENGTH + 1 or any(character not in ALPHABET for character in plain):
        raise InvalidReference("A reference has nine letters and digits, like 9C28-SAU2-5. Please check it.")
    if plain[-1] != _check_character(plain[:-1]):
        raise InvalidReference("One character of the reference seems to be mistyped. Please check it.")
    return _format(plain)


def spell(reference: str) -> str:
    """The reference as it is read out over the telephone, in the NATO alphabet."""
    return ", ".join(_WORDS[character] for character in parse_reference(reference).replace("-", ""))


def _check_character(body: str) -> str:
    total = sum(weight * ALPHABET.index(character) for weight, character in zip(_WEIGHTS, body, strict=True))
    return ALPHABET[total % len(ALPHABET)]


def _format(plain: str) -> str:
    return f"{plain[:4]}-{plain[4:8]}-{plain[8]}"
