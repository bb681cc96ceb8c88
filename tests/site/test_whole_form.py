"""A whole form on one page: what was typed is read against what was asked, and what follows is asked first."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from web.shared.forms.engine import TOO_MUCH, is_complete
from web.shared.forms.loader import read_definitions
from web.shared.forms.whole import Whole, read_whole

FORMS = read_definitions()
TODAY = date(2026, 12, 1)
NEEDED: dict[str, Any] = {
    "confidentiality_understood": ["yes"], "consent_processing": ["yes"], "postcode": ["NP20 4UR"],
    "contact_way": ["email"], "passphrase": ["harbour lantern quiet"],
}  # fmt: skip
BY_EMAIL: dict[str, Any] = {"email": ["robin@example.org"], "hours": ["any"], "say_who": ["no"]}


def sent(route: str, asked: Any, **given: Any) -> Whole:
    return read_whole(FORMS[route], {**NEEDED, **given}, asked, today=TODAY)


@pytest.mark.parametrize("route", sorted(FORMS))
def test_shown_first_a_form_asks_all_that_depends_on_nothing_and_has_no_problem(route: str) -> None:
    whole = read_whole(FORMS[route], {}, (), today=TODAY)
    assert (whole.problems, whole.answers) == ({}, {})
    assert whole.asked == whole.following != ()
    assert not whole.is_complete


def test_what_follows_from_an_answer_is_asked_and_is_no_problem_yet() -> None:
    first = sent("self", ())
    second = sent("self", first.asked)
    assert second.problems == {}
    assert "email" in second.following
    assert not second.is_complete
    third = sent("self", second.asked)
    assert "email" in third.problems
    assert third.following == ()
    done = sent("self", third.asked, **BY_EMAIL)
    assert done.is_complete
    assert done.answers["email"] == "robin@example.org"
    assert is_complete(FORMS["self"], done.answers)


def test_one_problem_takes_no_other_answer_and_no_question_away() -> None:
    asked = sent("self", sent("self", ()).asked).asked
    whole = sent("self", asked, **{**BY_EMAIL, "postcode": ["nowhere"], "email": ["no address"]})
    assert set(whole.problems) == {"postcode", "email"}
    assert whole.asked == asked
    assert whole.answers["hours"] == "any", "on the page of the e-mail address"


def test_what_no_longer_counts_is_not_sent() -> None:
    asked = sent("self", sent("self", ()).asked).asked
    whole = sent("self", asked, contact_way=["i_call"], email=["robin@example.org"])
    assert "email" not in whole.answers
    assert "email" not in whole.asked


def test_more_than_fits_into_one_message_is_said_before_it_is_sent() -> None:
    definition = FORMS["self"]
    long = {question.id: ["x" * 2_000] for question in definition.questions() if question.kind.value == "long_text"}
    asked = [question.id for question in definition.questions()]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("web.shared.forms.engine.MOST_BYTES", 3_000)
        whole = sent("self", asked, **{**long, "contact_way": ["i_call"]})
    assert TOO_MUCH in whole.problems.values()
