"""Single entries are left out of an export by numbers that never come to mean another entry."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import typer

from chassis.ids import new_id
from chassis.subject_access import entry, fact
from contracts.commands.subject import Entry, ExportReason, Ground, Section, Topic
from leeward.subject_access.gathering import Part, Request
from leeward.subject_access.leaving_out import NoSuchEntry, grounds_of, left_out
from leeward.subject_access.numbers import Numbered, numbered
from leeward.subject_access.page import Export, as_html, as_json
from leeward.subject_access.questions import in_the_forms_words
from leeward.subject_access.wording import BY_GROUND
from tests.unit.subject.test_page import answered

RECEIVED = entry(("What happened", "Your request came"), ("By", "You"))
NOTED = entry(("What happened", "It was put on hold"), ("In words", "their neighbour rang"))


def request(*entries: Entry, topic: Topic = Topic.STEPS, reference: str = "9C28-SAU2-5") -> Request:
    return Request(str(new_id()), reference, (Part("intake", Section(topic=topic, entries=entries)),))


def numbers(*requests: Request) -> list[str]:
    return [item.number for one in numbered(requests) for item in one.items]


def exported(requests: Iterable[Numbered], *grounds: Ground) -> Export:
    return Export(
        requests=list(requests),
        made_at=datetime(2026, 11, 21, 15, 58, tzinfo=UTC),
        by="E. Xporter",
        reason=ExportReason.CLIENT_ASKED,
        charity="Leeward",
        telephone="01632 960 001",
        grounds=frozenset(grounds),
    )


# The numbers


def test_an_entry_keeps_its_number_whatever_comes_before_it() -> None:
    (alone,) = numbers(request(NOTED))
    assert numbers(request(RECEIVED, NOTED))[1] == alone
    assert len(alone) == 6


def test_an_entry_that_tells_something_else_has_another_number() -> None:
    other = entry(("What happened", "It was put on hold"), ("In words", "nobody rang"))
    assert numbers(request(NOTED)) != numbers(request(other))
    assert numbers(request(NOTED)) != numbers(request(NOTED, reference="7F2K-M3QX-D"))


def test_entries_that_tell_the_same_have_a_number_each_however_many_there_are() -> None:
    found = numbers(request(*[NOTED] * 50), request(NOTED))
    assert len(set(found)) == 51


def test_an_answer_keeps_its_number_in_whichever_words_it_is_told() -> None:
    told = [
        Request("of-robin", "9C28-SAU2-5", (Part("intake", section),))
        for section in (answered(1), in_the_forms_words(answered(1), None))
    ]
    plainly, in_words = ({item.entry.facts[0].asked: item for item in numbered([one])[0].items} for one in told)
    assert plainly.keys() == in_words.keys()
    assert all(plainly[asked].number == in_words[asked].number for asked in plainly)
    assert plainly["known_to_authorities"].entry != in_words["known_to_authorities"].entry


@pytest.mark.parametrize(("topic", "entries"), [(Topic.STEPS, 1), (Topic.ANSWERS, 2), (Topic.ASSESSMENT, 2)])
def test_answers_and_aspects_are_left_out_one_by_one(topic: Topic, entries: int) -> None:
    assert len(numbers(request(NOTED, topic=topic))) == entries


# Which entries, and on which grounds


def test_one_ground_is_for_all_or_each_has_its_own() -> None:
    one, two = Ground.OTHER_PERSON, Ground.LEGAL_ADVICE
    assert grounds_of([], []) == {}
    assert grounds_of(["1", "2"], [one]) == {"1": one, "2": one}
    assert grounds_of(["1", "2"], [two, one]) == {"1": two, "2": one}


@pytest.mark.parametrize(("numbers", "grounds"), [(1, 0), (0, 1), (1, 2), (3, 2)])
def test_which_ground_is_meant_for_which_entry_is_never_guessed(numbers: int, grounds: int) -> None:
    with pytest.raises(typer.BadParameter, match="--ground"):
        grounds_of([str(number) for number in range(numbers)], [Ground.OTHER_PERSON] * grounds)


def test_nothing_is_left_out_on_two_grounds() -> None:
    with pytest.raises(typer.BadParameter, match="given twice"):
        grounds_of(["1", "1"], [Ground.OTHER_PERSON, Ground.LEGAL_ADVICE])


def test_what_goes_on_record_is_where_an_entry_stands_and_nothing_that_follows_from_what_it_tells() -> None:
    found = numbered([request(NOTED), request(RECEIVED, NOTED)])
    second = found[1].items[1]
    (on_record,) = left_out(found, {second.number: Ground.OTHER_PERSON})
    assert str(on_record.referral_id) == found[1].referral_id
    assert (on_record.service, on_record.topic, on_record.place) == ("intake", Topic.STEPS, 2)
    assert second.number not in json.dumps(on_record.to_json())


def test_a_number_that_no_entry_has_is_refused_with_what_to_do() -> None:
    found = numbered([request(NOTED)])
    with pytest.raises(NoSuchEntry, match=r"no entry 123, 456\. .*export without --leave-out"):
        left_out(found, dict.fromkeys(["123", found[0].items[0].number, "456"], Ground.OTHER_PERSON))


# What the reader sees


def test_what_is_left_out_is_nowhere_in_the_export_which_says_why_and_not_what_or_how_much() -> None:
    (whole,) = numbered([request(RECEIVED, NOTED, NOTED)])
    cut = whole.without(item.number for item in whole.items[1:])
    before, after = exported([whole]), exported([cut], Ground.OTHER_PERSON)
    for page in (as_html(after), json.dumps(as_json(after))):
        assert "neighbour" not in page
        assert "Your request came" in page
        assert all(item.number not in page for item in whole.items[1:])
        assert whole.items[0].number in page
    said = BY_GROUND[Ground.OTHER_PERSON]
    assert said.why in as_html(after)
    assert as_json(after)["left_out_by_a_person"] == [{"what": said.what, "why": said.why}]
    assert said.why not in as_html(before)
    assert as_json(before)["left_out_by_a_person"] == []


def test_every_ground_has_words() -> None:
    assert list(BY_GROUND) == list(Ground)


def test_a_fact_that_is_told_in_words_is_numbered_by_its_code() -> None:
    coded = replace(fact("How it stands", "On hold"), exactly=("on_hold",))
    reworded = replace(coded, value="Waiting")
    assert numbers(request(Entry(facts=(coded,)))) == numbers(request(Entry(facts=(reworded,))))
