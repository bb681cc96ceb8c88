"""Which of two messages about the same subject is the newer one.

A publisher numbers what it says about each subject, from 1. A reader keeps the number of the newest that it has taken,
0 before the first, and drops whatever is not newer. Messages may come late, twice, and in any order.
"""

from __future__ import annotations


def is_newer(number: int, newest: int) -> bool:
    """Whether a message of this number is to be taken by a reader that has taken `newest`.

    A message without a number (0), as a stock nameko service sends it, says nothing about its order. It is taken as it
    comes while nothing numbered is known, and counts as older than anything numbered.
    """
    return number > newest or number == newest == 0
