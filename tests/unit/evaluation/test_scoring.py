"""Scoring by the published rules."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.evaluation.domain.instruments import Instrument
from services.evaluation.domain.scoring import AnsweredTwice, OutOfRange, UnknownItem, score
from services.evaluation.gateways.library import FOLDER, Library

LIBRARY = Library(FOLDER)
CORE_10, PHQ_9, GAD_7, VIEW = (LIBRARY.newest(code) for code in ("core-10", "phq-9", "gad-7", "therapist-view"))

instruments = st.sampled_from([CORE_10, PHQ_9, GAD_7, VIEW])


def answers(instrument: Instrument, *values: int | None) -> list[tuple[str, int]]:
    """None leaves an item blank."""
    pairs = zip(instrument.items, values, strict=True)
    return [(item.code, value) for item, value in pairs if value is not None]


def highest(instrument: Instrument) -> int:
    return sum(item.highest for item in instrument.items)


@st.composite
def forms(draw: st.DrawFn) -> tuple[Instrument, list[tuple[str, int]]]:
    """A form with any of its items blank, the answers in any order."""
    instrument = draw(instruments)
    items = draw(st.permutations(instrument.items))
    kept = draw(st.integers(min_value=0, max_value=len(items)))
    return instrument, [(one.code, draw(st.integers(one.lowest, one.highest))) for one in items[:kept]]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ((0, 4, 4, 0, 0, 0, 0, 0, 0, 0), 0),
        ((4, 0, 0, 4, 4, 4, 4, 4, 4, 4), 40),
        ((0, 0, 0, 0, 0, 0, 0, 0, 0, 0), 8),
        ((4, 4, 4, 4, 4, 4, 4, 4, 4, 4), 32),
        ((2, 2, 2, 2, 2, 2, 2, 2, 2, 2), 20),
        ((3, 1, 2, 2, 1, 0, 3, 2, 3, 1), 20),
    ],
)
def test_the_core_10_adds_up_with_items_two_and_three_in_reverse(values: tuple[int, ...], expected: int) -> None:
    assert score(CORE_10, answers(CORE_10, *values)).score == expected


def test_the_core_10_is_prorated_when_one_item_is_blank() -> None:
    """Nine items that add up to 18 are two each, and so the whole form counts as 20."""
    scored = score(CORE_10, answers(CORE_10, 2, 2, 2, 2, 2, 2, 2, 2, 2, None))
    assert (scored.score, scored.missing) == (20, 1)


def test_a_prorated_score_need_not_be_whole() -> None:
    scored = score(CORE_10, answers(CORE_10, 1, 4, 4, 0, 0, 0, 0, 0, 0, None))
    assert scored.score == 1.11


def test_a_blank_item_that_is_scored_in_reverse_is_made_up_for_too() -> None:
    assert score(CORE_10, answers(CORE_10, 2, None, 2, 2, 2, 2, 2, 2, 2, 2)).score == 20


def test_the_core_10_has_no_score_when_two_items_are_blank() -> None:
    scored = score(CORE_10, answers(CORE_10, 2, 2, 2, 2, 2, 2, 2, 2, None, None))
    assert (scored.score, scored.missing) == (None, 2)


@pytest.mark.parametrize("answer", [1, 2, 3, 4])
def test_any_answer_about_suicide_but_not_at_all_asks_for_a_person(answer: int) -> None:
    assert score(CORE_10, answers(CORE_10, 0, 4, 4, 0, 0, answer, 0, 0, 0, 0)).risks == ("q6",)


def test_not_at_all_asks_for_nobody_however_high_the_total() -> None:
    assert score(CORE_10, answers(CORE_10, 4, 0, 0, 4, 4, 0, 4, 4, 4, 4)).risks == ()


def test_an_answer_about_suicide_counts_even_where_there_is_no_score() -> None:
    scored = score(CORE_10, [("q6", 3)])
    assert (scored.score, scored.risks) == (None, ("q6",))


@pytest.mark.parametrize(
    ("instrument", "values", "expected"),
    [
        (PHQ_9, [3] * 9, 27),
        (PHQ_9, [1, 1, 1, 1, 1, 1, 1, 1, 0], 8),
        (GAD_7, [3] * 7, 21),
        (GAD_7, [2, 1, 2, 0, 1, 0, 2], 8),
        (VIEW, [4] * 6, 24),
    ],
)
def test_the_others_are_plain_sums(instrument: Instrument, values: list[int], expected: int) -> None:
    assert score(instrument, answers(instrument, *values)).score == expected


def test_a_phq_9_with_a_blank_item_has_no_score() -> None:
    assert score(PHQ_9, answers(PHQ_9, *[3] * 8, None)).score is None


def test_refuses_an_item_that_is_not_of_the_instrument() -> None:
    with pytest.raises(UnknownItem):
        score(CORE_10, [("q11", 0)])


def test_refuses_two_answers_to_one_item() -> None:
    with pytest.raises(AnsweredTwice, match="q1"):
        score(CORE_10, [("q1", 0), ("q1", 0)])


@pytest.mark.parametrize("answer", [-1, 5])
def test_refuses_an_answer_that_cannot_be_chosen_and_does_not_repeat_it(answer: int) -> None:
    with pytest.raises(OutOfRange, match="q1") as raised:
        score(CORE_10, [("q1", answer)])
    assert str(answer) not in str(raised.value)


@given(form=forms())
def test_a_score_lies_within_the_instrument_s_range_or_there_is_none(
    form: tuple[Instrument, list[tuple[str, int]]],
) -> None:
    instrument, given_answers = form
    scored = score(instrument, given_answers)
    assert scored.missing == len(instrument.items) - len(given_answers)
    assert (scored.score is None) is (scored.missing > instrument.missing_allowed)
    if scored.score is not None:
        assert 0 <= scored.score <= highest(instrument)


@given(form=forms(), data=st.data())
def test_the_order_of_the_answers_makes_no_difference(
    form: tuple[Instrument, list[tuple[str, int]]], data: st.DataObject
) -> None:
    instrument, given_answers = form
    shuffled = data.draw(st.permutations(given_answers))
    first, second = score(instrument, given_answers), score(instrument, shuffled)
    assert (first.score, set(first.risks)) == (second.score, set(second.risks))


@given(form=forms(), data=st.data())
def test_a_worse_answer_never_makes_a_better_score(
    form: tuple[Instrument, list[tuple[str, int]]], data: st.DataObject
) -> None:
    instrument, given_answers = form
    before = score(instrument, given_answers).score
    if before is None:
        return
    place = data.draw(st.integers(0, len(given_answers) - 1))
    code, value = given_answers[place]
    item = next(one for one in instrument.items if one.code == code)
    up = value - 1 if item.reversed else value + 1
    if item.lowest <= up <= item.highest:
        given_answers[place] = (code, up)
        after = score(instrument, given_answers).score
        assert after is not None
        assert after > before
