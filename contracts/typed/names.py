"""How names are compared. They are always stored as somebody wrote them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

_LETTERS = str.maketrans(
    {
        "ł": "l", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h", "ŧ": "t",
        "ŋ": "n", "ĸ": "k", "ə": "e", "ɓ": "b", "ɗ": "d",
    }
)  # fmt: skip
"""Letters that Unicode takes for letters of their own, so that no accent can be taken off them."""


_HYPHENS = re.compile(r"[\-‐-―]")


def fold_name(text: str) -> str:
    """Letters and digits alone, without case and accents, and the words in alphabetical order.

    A hyphen is left out, as an apostrophe and a full stop are: `Anne-Marie` is `Annemarie`.
    """
    return _sorted(_words(text, _LETTERS))


def name_forms(text: str) -> frozenset[str]:
    """Every folded form under which the same name may have been kept.

    `Anne-Marie` is also `Anne Marie`, and the other way round: any two words that follow each other may have been one.
    Names that were kept before had `Ł`, `Ø`, `Đ` and `Þ` left as they are.
    """
    apart = _words(_HYPHENS.sub(" ", text), _LETTERS)
    joined = [_words(text, _LETTERS), _words(text, {}), apart]
    joined += [[*apart[:at], apart[at] + apart[at + 1], *apart[at + 2 :]] for at in range(len(apart) - 1)]
    return frozenset(map(_sorted, joined))


def _words(text: str, letters: Mapping[int, str]) -> list[str]:
    split = unicodedata.normalize("NFKD", text).casefold().translate(letters)
    bare = "".join(letter for letter in split if not unicodedata.combining(letter))
    return re.findall(r"\w+", re.sub(r"['’`\-‐-―.]", "", bare))


def _sorted(words: list[str]) -> str:
    return " ".join(sorted(words))
