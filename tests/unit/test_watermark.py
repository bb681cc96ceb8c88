"""What is stale is dropped by one rule in every service, with and without numbers on the messages."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.watermark import is_newer
from services.evaluation.domain.invitations import Referral as EvaluationReferral
from services.intake.domain.referral import Referral as IntakeReferral
from services.matching.domain.links import Link
from services.matching.domain.referral import Referral as MatchingReferral
from services.matching.domain.therapist import Therapist
from services.notifications.domain.people import Client

BARE = 0
"""The number of a message that has none, as a stock nameko service sends it."""

ADVANCES: dict[str, tuple[Callable[..., bool], str, dict[str, Any]]] = {
    "intake: matching's newest": (IntakeReferral.advance_matching_sequence, "matching_sequence", {}),
    "matching: intake's newest": (MatchingReferral.advance_search, "search_sequence", {}),
    "matching: billing's newest of a therapist": (Therapist.advance_membership, "membership_sequence", {}),
    "matching: intake's newest of a link": (
        lambda link, number: Link.advance(link, stands=True, sequence=number),
        "sequence",
        {"stands": True},
    ),
    "evaluation: intake's newest": (EvaluationReferral.advance_request, "received_sequence", {"is_erased": False}),
    "notifications: intake's newest of a client": (
        lambda client, number: Client.reopen(client, sequence=number),
        "standing_sequence",
        {"is_removed": False},
    ),
}


@given(heard=st.lists(st.integers(0, 5), max_size=12))
def test_whatever_the_order_what_is_known_in_the_end_is_the_newest(heard: list[int]) -> None:
    newest = 0
    for number in heard:
        if is_newer(number, newest):
            assert number >= newest
            newest = number
    assert newest == max(heard, default=0)


@pytest.mark.parametrize("where", ADVANCES)
def test_a_bare_message_is_taken_until_something_numbered_is_known(where: str) -> None:
    advance, field, known = ADVANCES[where]
    aggregate = SimpleNamespace(**{field: 0}, **known)
    assert [advance(aggregate, number) for number in (BARE, BARE, 3, BARE, 2, 3, 4)] == [
        True, True, True, False, False, False, True,
    ]  # fmt: skip
    assert getattr(aggregate, field) == 4
