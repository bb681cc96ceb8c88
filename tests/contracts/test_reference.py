"""References that are read over the telephone."""

from __future__ import annotations

from itertools import combinations
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.reference import ALPHABET, InvalidReference, parse_reference, reference_for, spell

references = st.uuids().map(reference_for)


def test_a_submission_always_has_the_same_reference() -> None:
    assert reference_for(UUID(int=1)) == "9C28-SAU2-5"


def test_another_attempt_gives_another_reference() -> None:
    id_ = uuid4()
    assert len({reference_for(id_, attempt) for attempt in range(50)}) == 50


@given(references)
def test_case_spaces_and_dashes_are_forgiven(reference: str) -> None:
    typed = reference.lower().replace("-", " – ")
    assert parse_reference(typed) == reference


@given(references)
def test_every_single_wrong_character_is_found(reference: str) -> None:
    plain = reference.replace("-", "")
    for place in range(len(plain)):
        for wrong in ALPHABET:
            if wrong != plain[place]:
                with pytest.raises(InvalidReference):
                    parse_reference(plain[:place] + wrong + plain[place + 1 :])


@given(references)
def test_every_exchange_of_two_characters_is_found(reference: str) -> None:
    plain = reference.replace("-", "")
    for a, b in combinations(range(len(plain)), 2):
        if plain[a] != plain[b]:
            swapped = list(plain)
            swapped[a], swapped[b] = plain[b], plain[a]
            with pytest.raises(InvalidReference):
                parse_reference("".join(swapped))


@given(st.text(max_size=30))
def test_whatever_is_typed_is_a_reference_or_gets_help(typed: str) -> None:
    try:
        reference = parse_reference(typed)
    except InvalidReference as error:
        said = str(error)
    else:
        said = f"{reference} needs no check it passed"
    assert "check it" in said


def test_it_can_be_spelled_out() -> None:
    assert spell("9C28-SAU2-5").startswith("nine, Charlie, two, eight, Sierra")
