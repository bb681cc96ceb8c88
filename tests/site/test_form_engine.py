"""The forms as they are shipped, filled in by anybody in any way."""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from contracts.sealed import HelpSubmission
from contracts.typed.postcodes import NO_FIXED_ABODE
from contracts.vocabulary import Allegation, ClientGroup, ConsentTold, HelpKind
from web.shared.forms.definition import Answer, Answers, Definition, Kind, Question
from web.shared.forms.engine import (
    Shown,
    answer_page,
    applicable,
    first_unanswered,
    is_complete,
    page_after,
    page_before,
    page_numbered,
    place_of,
    shown_pages,
)
from web.shared.forms.field_types import choices_of, raw_of
from web.shared.forms.loader import read_definitions
from web.shared.forms.submission import build

DEFINITIONS = read_definitions()
NOW = datetime(2026, 11, 20, 18, 30, tzinfo=UTC)
each_route = pytest.mark.parametrize("definition", DEFINITIONS.values(), ids=DEFINITIONS)

GOOD = {
    Kind.TEXT: ["Robin", "x", "  Alex   Example "],
    Kind.LONG_TEXT: ["A few words.", "line\r\nline"],
    Kind.NUMBER: ["12", "16", "3"],
    Kind.MONEY: ["£25.50", "0", "1,000"],
    Kind.MILES: ["10", "about 5 miles", "2.5"],
    Kind.POSTCODE: ["np20 4ur", "CF46", "n p 2 0", "BFPO 61", "no fixed abode"],
    Kind.EMAIL: ["robin@example.org", " robin @example.org"],
    Kind.TELEPHONE: ["07700 900 123", "+44 (0)7700-900.124"],
    Kind.PASSPHRASE: ["harbour lantern quiet"],
    Kind.CONSENT: ["yes"],
}
anything = st.text(max_size=30) | st.sampled_from(
    ["yes", "no", "unsure", "1", "٣", "\x00", "\ud800", "9" * 40, "x" * 3_000]
)


def good_answer(data: st.DataObject, question: Question, answers: Answers) -> dict[str, list[str]]:
    """Fields that answer the question."""
    if question.fills == "age":
        return {question.id: [data.draw(st.sampled_from(["12", "12 years"]))]}
    if question.fills == "date_of_birth":
        return raw_of(question, data.draw(st.dates(date(2014, 1, 1), date(2014, 11, 1))).isoformat())
    if question.kind is Kind.DATE:
        return raw_of(question, data.draw(st.dates(datetime(1920, 1, 1).date(), NOW.date())).isoformat())
    if question.kind in GOOD:
        return {question.id: [data.draw(st.sampled_from(GOOD[question.kind]))]}
    choice = data.draw(st.sampled_from(choices_of(question, answers)))
    return {question.id: [choice.value]}


def posted(data: st.DataObject, shown: Shown, answers: Answers) -> dict[str, list[str]]:
    """Whatever a browser, or somebody with other intentions, may post for a page."""
    raw: dict[str, list[str]] = {}
    for question in shown.questions:
        if data.draw(st.sampled_from((True, True, True, False))):
            raw |= good_answer(data, question, answers)
        else:
            names = (question.id, f"{question.id}-day", f"{question.id}-month", f"{question.id}-year")
            raw |= data.draw(st.dictionaries(st.sampled_from(names), st.lists(anything, max_size=3), max_size=3))
    return raw


def untold(definition: Definition, answers: Answers) -> list[Shown]:
    """The pages of which nothing was told, that can wait."""
    return [shown for shown in shown_pages(definition, answers) if not shown.answered]


def fill_in(data: st.DataObject, definition: Definition, answers: dict[str, Answer]) -> dict[str, Answer]:
    """Answers what is still asked, well, until nothing is left. Fails if that never happens."""
    for _ in range(2 * len(definition.pages)):
        shown = first_unanswered(definition, answers) or data.draw(
            st.sampled_from((None, *untold(definition, answers)))
        )
        if shown is None:
            return answers
        raw: dict[str, list[str]] = {}
        for question in shown.questions:
            raw |= good_answer(data, question, applicable(definition, answers))
        outcome = answer_page(definition, answers, shown, raw, today=NOW.date())
        assert not outcome.problems, (shown.page.id, outcome.problems)
        answers = outcome.answers
    raise AssertionError("a dead end")


def check_what_is_sent(definition: Definition, answers: Answers) -> HelpSubmission:
    submission = build(definition, answers, at=NOW, agreed_at={}, language="en")
    shown = {question.id for page in shown_pages(definition, answers) for question in page.questions}
    assert {one.question for one in submission.answers} <= shown
    assert {one.text for one in submission.consent_texts} <= shown
    hidden = {question.fills for question in definition.questions() if question.fills and question.id not in shown}
    visible = {question.fills for question in definition.questions() if question.id in shown}
    always = {setting.field for setting in definition.settings} | {"consents", "language"}
    sent = json.loads(submission.encode())
    for path in hidden - visible - always:
        assert not value_at(sent, path) or value_at(sent, path) == default_of(path), path
    assert submission.consents.processing
    assert submission.consents.confidentiality_understood
    if HelpKind.FAMILY_COURSE in submission.help_wanted:
        assert not {Allegation.CONTACT_OFFENCE, Allegation.ONLINE_CONTACT} & set(submission.alleged)
        assert (answers["self_verification"], answers["adult"]) == ("yes", "yes")
    return submission


def value_at(sent: dict[str, Any], path: str) -> Any:
    found: Any = sent
    for name in path.split("."):
        found = (found or {}).get(name)
    return found


def default_of(path: str) -> Any:
    defaults = {
        "max_distance_km": 30.0,
        "contact.hours": "any",
        "written_by.contact.hours": "any",
        "sessions": "either",
    }
    return defaults.get(path)


@settings(max_examples=40, suppress_health_check=list(HealthCheck))
@given(data=st.data())
@each_route
def test_any_answers_in_any_order_never_lead_to_a_dead_end(definition: Definition, data: st.DataObject) -> None:
    answers: dict[str, Answer] = {}
    for _ in range(data.draw(st.integers(0, 25))):
        number = data.draw(st.integers(0, len(definition.pages) + 1))
        shown = page_numbered(definition, answers, number) or first_unanswered(definition, answers)
        if shown is None:
            check_what_is_sent(definition, answers)
            shown = data.draw(st.sampled_from(shown_pages(definition, answers)))
        answers = answer_page(
            definition, answers, shown, posted(data, shown, applicable(definition, answers)), today=NOW.date()
        ).answers
        before, after = page_before(definition, answers, shown.number), page_after(definition, answers, shown.number)
        assert before is None or before.number < shown.number
        assert after is None or after.number > shown.number
    check_what_is_sent(definition, fill_in(data, definition, answers))


@settings(max_examples=20, suppress_health_check=list(HealthCheck))
@given(data=st.data())
@each_route
def test_a_page_shows_again_what_was_answered_on_it(definition: Definition, data: st.DataObject) -> None:
    answers = fill_in(data, definition, {})
    shown = data.draw(st.sampled_from([one for one in shown_pages(definition, answers) if one.answered]))
    raw: dict[str, list[str]] = {}
    for question in shown.questions:
        raw |= raw_of(question, answers[question.id])
    assume(all(question.kind is not Kind.CONSENT for question in shown.questions))
    assert answer_page(definition, answers, shown, raw, today=NOW.date()).answers == answers


def test_only_where_they_are_and_a_safe_way_to_reach_them_must_be_given() -> None:
    definition = DEFINITIONS["self"]
    required = {question.id for question in definition.questions() if not question.optional}
    assert required == {
        "confidentiality_understood", "consent_processing", "postcode", "contact_way", "telephone", "email", "address",
        "hours", "may_leave_message", "say_who", "passphrase",
    }  # fmt: skip


def answers_of(definition: Definition, **given: Answer) -> dict[str, Answer]:
    """These answers, and nothing more than is needed for the rest."""
    plain: dict[str, Answer] = {"postcode": "NP20 4UR", "contact_way": "i_call", "passphrase": "harbour lantern"}
    answers: dict[str, Answer] = {}
    for question in definition.questions():
        consent: Answer = "yes" if question.kind is Kind.CONSENT else ""
        answers[question.id] = given.get(question.id, plain.get(question.id, consent))
    return answers


def offered(definition: Definition, question_id: str, answers: Answers) -> set[str]:
    shown = {one.id: one for page in shown_pages(definition, answers) for one in page.questions}
    return {choice.value for choice in choices_of(shown[question_id], answers)} if question_id in shown else set()


FAMILY = DEFINITIONS["family"]


def test_a_partner_who_can_verify_is_offered_everything() -> None:
    answers = {"confidentiality_understood": "yes", "relationship": "partner", "adult": "yes"}
    assert offered(FAMILY, "help_wanted", answers) == {"one_to_one", "couple", "family_course", "online_group"}


@pytest.mark.parametrize("said", ["no", "unsure"])
def test_who_wants_the_course_and_cannot_verify_is_offered_one_to_one_help_instead(said: str) -> None:
    answers = answers_of(FAMILY, relationship="sibling", adult="yes", alleged=(), self_verification=said,
                         help_wanted=("family_course",), help_wanted_otherwise=("online_group",))  # fmt: skip
    assert offered(FAMILY, "help_wanted_otherwise", answers) == {"one_to_one", "online_group"}
    assert check_what_is_sent(FAMILY, answers).help_wanted == (HelpKind.ONLINE_GROUP,)


@pytest.mark.parametrize("said", ["contact_offence", "online_contact"])
def test_who_has_told_of_such_an_accusation_is_not_asked_to_deny_it(said: str) -> None:
    answers = answers_of(FAMILY, relationship="partner", adult="yes", alleged=("downloading_images", said),
                         self_verification="yes", help_wanted=("family_course",))  # fmt: skip
    assert "self_verification" not in applicable(FAMILY, answers)
    assert offered(FAMILY, "help_wanted_otherwise", answers) == {"one_to_one", "couple", "online_group"}


def test_downloading_images_is_within_the_course() -> None:
    answers = answers_of(FAMILY, relationship="parent", adult="yes", alleged=("downloading_images",),
                         self_verification="yes", help_wanted=("family_course",))  # fmt: skip
    assert check_what_is_sent(FAMILY, answers).help_wanted == (HelpKind.FAMILY_COURSE,)


def test_only_who_wants_the_course_is_asked_what_is_alleged() -> None:
    answers = answers_of(FAMILY, relationship="parent", adult="yes", help_wanted=())
    assert is_complete(FAMILY, answers)
    assert not {"alleged", "self_verification"} & set(applicable(FAMILY, answers))


@pytest.mark.parametrize(("adult", "group"), [("yes", ClientGroup.FAMILY), ("no", ClientGroup.YOUNG_PERSON)])
def test_a_relative_under_18_is_a_young_person(adult: str, group: ClientGroup) -> None:
    answers = answers_of(FAMILY, relationship="child", adult=adult, help_wanted=("one_to_one",))
    assert check_what_is_sent(FAMILY, answers).client_group is group


def test_a_course_or_group_is_for_adults() -> None:
    answers = {"confidentiality_understood": "yes", "relationship": "child", "adult": "no"}
    assert offered(FAMILY, "help_wanted", answers) == {"one_to_one"}


def test_a_choice_that_is_no_longer_offered_is_asked_anew() -> None:
    answers = answers_of(FAMILY, relationship="partner", adult="yes", alleged=(), self_verification="yes",
                         help_wanted=("couple", "family_course"))  # fmt: skip
    assert is_complete(FAMILY, answers)
    changed = first_unanswered(FAMILY, {**answers, "relationship": "sibling"})
    assert changed is not None
    assert changed.page.id == "help_wanted"


def test_an_answer_to_a_question_that_is_no_longer_shown_is_not_sent() -> None:
    definition = DEFINITIONS["self"]
    answers = answers_of(definition, contact_way="email", email="robin@example.org", hours="any", say_who="no")
    assert check_what_is_sent(definition, answers).contact.email == "robin@example.org"
    assert check_what_is_sent(definition, {**answers, "contact_way": "i_call"}).contact.email is None


def test_what_was_asked_and_agreed_to_goes_along_with_its_version() -> None:
    definition = DEFINITIONS["survivor"]
    at = datetime(2026, 11, 20, 18, 0, tzinfo=UTC)
    answers = answers_of(definition, same_person="unsure", consent_research="no")
    sent = build(
        definition, answers, at=NOW, agreed_at={"consent_processing": at}, language="cy", suspected=["too_fast"]
    )
    assert (sent.definition, sent.definition_version, sent.language) == ("survivor", 3, "cy")
    apart = {one.question: one.text for one in sent.answers}
    assert apart == {"same_person": "unsure", "contact_way": "i_call"}
    texts = {one.text: one for one in sent.consent_texts}
    assert texts["consent_processing"].given_at == at
    assert not texts["consent_research"].agreed
    assert sent.suspected == ("too_fast",)


def test_not_sure_about_somebody_at_risk_counts_as_yes() -> None:
    definition = DEFINITIONS["self"]
    assert check_what_is_sent(definition, answers_of(definition, person_at_risk="unsure")).identifiable_person_at_risk
    assert not check_what_is_sent(definition, answers_of(definition)).identifiable_person_at_risk


def test_all_that_is_written_fits_into_one_message() -> None:
    definition = DEFINITIONS["self"]
    answers = answers_of(definition)
    pages = {shown.page.id: shown for shown in shown_pages(definition, answers)}
    for page, field in (("concern", "concern"), ("hopes", "hopes")):
        answers = answer_page(definition, answers, pages[page], {field: ["😀" * 1_600]}, today=NOW.date()).answers
    outcome = answer_page(definition, answers, pages["access"], {"access_needs": ["😀" * 1_900]}, today=NOW.date())
    assert set(outcome.problems) == {"access_needs"}
    assert outcome.answers["access_needs"] == ""


@pytest.mark.parametrize(("day", "problems"), [("20", set()), ("21", {"date_of_birth"})])
def test_nobody_was_born_tomorrow(day: str, problems: set[str]) -> None:
    definition = DEFINITIONS["professional"]
    (person,) = (shown for shown in shown_pages(definition, answers_of(definition)) if shown.page.id == "person_more")
    raw = {"date_of_birth-day": [day], "date_of_birth-month": ["11"], "date_of_birth-year": ["2026"]}
    assert set(answer_page(definition, {}, person, raw, today=NOW.date()).problems) == problems


def short(definition: Definition, **given: Answer) -> dict[str, Answer]:
    """What whoever sends the shortest request has answered: what can wait was not even looked at."""
    answers = answers_of(definition, **given)
    return {
        question.id: answers[question.id] for page in definition.pages if not page.more for question in page.questions
    }


@pytest.mark.parametrize(
    ("route", "given", "steps"),
    [
        ("self", {}, 7),
        ("survivor", {}, 7),
        ("family", {"relationship": "sibling", "adult": "yes"}, 9),
        ("young_person", {"who_writes": "self"}, 8),
    ],
)
def test_a_request_can_be_sent_after_a_few_steps_with_a_safe_contact_in_the_first(
    route: str, given: dict[str, Answer], steps: int
) -> None:
    definition = DEFINITIONS[route]
    answers = short(definition, **given)
    shown = [one for one in shown_pages(definition, answers) if not one.page.more]
    assert (is_complete(definition, answers), len(shown)) == (True, steps)
    assert "contact_way" in [question.id for one in shown[:3] for question in one.questions]
    assert [place_of(definition, answers, one.number) for one in shown] == [(n, steps) for n in range(1, steps + 1)]


@each_route
def test_what_can_wait_and_was_not_looked_at_is_not_sent_as_an_answer(definition: Definition) -> None:
    said: dict[str, Answer] = {"who_writes": "self", "relationship": "child", "adult": "yes", "profession": "gp",
                               "client_group": "at_risk", "client_agrees": "no", "writer_name": "Sam",
                               "writer_contact_way": "post", "writer_address": "1 Invented Street",
                               "writer_say_who": "yes", "prison_name": "HMP Example",
                               "prison_address": "Newport"}  # fmt: skip
    answers = short(definition, **said)
    sent = check_what_is_sent(definition, answers)
    waits = {question.id for page in definition.pages if page.more for question in page.questions}
    assert not waits & {one.question for one in sent.answers}
    assert not waits & set(applicable(definition, answers))
    assert (sent.subsidy_requested, sent.wheelchair_access, sent.identifiable_person_at_risk) == (None, None, None)


WRITTEN: dict[str, Answer] = {"profession": "gp", "writer_name": "Sam Example", "writer_contact_way": "call",
                              "writer_telephone": "01632960124", "writer_hours": "any",
                              "writer_may_leave_message": "no", "writer_say_who": "no",
                              "client_group": "survivor", "client_agrees": "yes", "agreed_how": "by_telephone",
                              "agreed_therapist": "unsure", "agreed_research": "yes"}  # fmt: skip


def test_a_writer_says_what_another_agreed_to_and_how_and_ticks_nothing_for_them() -> None:
    definition = DEFINITIONS["professional"]
    answers = short(definition, **WRITTEN, contact_way="through_writer")
    sent = check_what_is_sent(definition, answers)
    assert sent.written_by is not None
    assert (sent.contact, sent.written_by.contact.telephone) == (None, "01632960124")
    assert (sent.consents.pass_to_therapist, sent.consents.evaluation, sent.consents.research) == (False, None, True)
    told = {one.text: (one.agreed, one.told) for one in sent.consent_texts}
    assert told["consent_processing"] == (True, None), "this is the writer's own"
    assert told["agreed_therapist"] == (False, ConsentTold.BY_TELEPHONE)
    assert told["agreed_research"] == (True, ConsentTold.BY_TELEPHONE)
    assert "agreed_evaluation" not in told, "what was not asked is not refused"


@pytest.mark.parametrize("who", ["guardian", "social_services", "professional"])
def test_what_another_has_not_agreed_to_is_not_asked_of_whoever_writes(who: str) -> None:
    definition = DEFINITIONS["young_person"]
    answers = short(definition, **WRITTEN | {"who_writes": who, "client_agrees": "no", "their_age": "12"})
    sent = check_what_is_sent(definition, answers)
    asked = {question.id for page in shown_pages(definition, answers) for question in page.questions}
    assert not {"consent_therapist", "agreed_therapist", "contact_way"} & asked
    assert (sent.client_agrees, sent.consents.pass_to_therapist, sent.contact, sent.age) == (False, False, None, 12)


def test_pages_speak_to_the_right_person() -> None:
    definition = DEFINITIONS["young_person"]

    def asked(who: str) -> dict[str, str]:
        answers = answers_of(definition, **WRITTEN | {"who_writes": who})
        return {one.id: one.label for page in shown_pages(definition, answers) for one in page.questions}

    assert asked("self")["postcode"] == "What is your postcode?"
    assert asked("self")["wheelchair_access"] == "Do you need step-free or wheelchair access?"
    assert asked("guardian")["postcode"] == "What is their postcode?"
    assert asked("guardian")["wheelchair_access"] == "Do they need step-free or wheelchair access?"


@pytest.mark.parametrize("who", ["guardian", "professional"])
def test_no_page_about_another_calls_them_you(who: str) -> None:
    """What is still said to `you` is about the writer, or about keeping to themselves."""
    definition = DEFINITIONS["young_person"]
    answers = answers_of(definition, **WRITTEN | {"who_writes": who, "talk_in": "cy", "can_pay": "up_to"})
    own = {"who_writes", "client_agrees", "agreed_how", "agreed", "concern", "passphrase", "heard_through"}
    for page in shown_pages(definition, answers):
        for one in page.questions:
            if one.id not in own and not one.id.startswith(("writer", "confidentiality", "consent", "agreed")):
                assert not re.search(r"\b(you|your)\b", one.label, re.IGNORECASE), one.label


def test_who_has_no_address_is_not_stopped_and_says_where_they_mostly_are() -> None:
    definition = DEFINITIONS["self"]
    before = {"confidentiality_understood": "yes"}
    (place,) = (one for one in shown_pages(definition, before) if one.page.id == "place")
    outcome = answer_page(definition, before, place, {"postcode-otherwise": ["yes"]}, today=NOW.date())
    assert not outcome.problems
    (asked,) = (one for one in shown_pages(definition, outcome.answers) if one.page.id == "whereabouts")
    outcome = answer_page(definition, outcome.answers, asked, {"whereabouts": ["Newport library"]}, today=NOW.date())
    sent = check_what_is_sent(definition, short(definition) | outcome.answers)
    assert sent.postcode == NO_FIXED_ABODE
    assert {one.question: one.text for one in sent.answers}["whereabouts"] == "Newport library"
    assert answer_page(definition, before, place, {"postcode": ["Newport"]}, today=NOW.date()).problems


@pytest.mark.parametrize(
    ("typed", "km"),
    [("10", 16.09), ("10 miles", 16.09), ("about 5", 8.05), ("up to 20 Miles", 32.19), ("16 km", 15.93), ("", None)],
)
def test_miles_are_asked_and_kilometres_kept(typed: str, km: float | None) -> None:
    definition = DEFINITIONS["self"]
    answers = answers_of(definition, sessions="in_person")
    (page,) = (one for one in shown_pages(definition, answers) if one.page.id == "distance")
    outcome = answer_page(definition, answers, page, {"distance_miles": [typed]}, today=NOW.date())
    assert check_what_is_sent(definition, outcome.answers).max_distance_km == km


@pytest.mark.parametrize("typed", ["5-10", "ten", "10 or 20", "not far", "0", "5000", "-3"])
def test_a_distance_is_never_guessed(typed: str) -> None:
    definition = DEFINITIONS["self"]
    answers = answers_of(definition, sessions="in_person")
    (page,) = (one for one in shown_pages(definition, answers) if one.page.id == "distance")
    assert answer_page(definition, answers, page, {"distance_miles": [typed]}, today=NOW.date()).problems
