"""Which of two messages about the same subject is the newer one.

A publisher numbers its events about each subject, from 1. A reader stores the number of the newest that it has taken, 0
before the first, and drops every message that is not newer. Messages may come late, twice, and in any order.
"""

from __future__ import annotations


def is_newer(number: int, newest: int) -> bool:
    """Whether a message of this number is to be taken by a reader that has taken `newest`.

    A message without a number (0), as a stock nameko service sends it, has no known order. It is taken as long as no
    numbered message has been, and counts as older than every numbered one.
    """
    return number > newest or number == newest == 0
