"""A charity changes the forms without code, and is told at the start what is wrong with a file."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from web.shared.forms.loader import SHIPPED, read_definitions
from web.shared.forms.problems import InvalidDefinitions

PLACE = "self.v2.yaml"


def changed(folder: Path, before: str, after: str, *, name: str = PLACE) -> Path:
    """A charity's own folder, with one shipped file of which something is changed."""
    text = (SHIPPED / name).read_text()
    assert text.count(before) >= 1
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text.replace(before, after, 1))
    return folder


def complaint(folder: Path) -> str:
    with pytest.raises(InvalidDefinitions) as caught:
        read_definitions(folder)
    return str(caught.value)


def test_the_six_routes_are_offered_in_their_order() -> None:
    assert list(read_definitions()) == ["self", "family", "survivor", "professional", "young_person", "in_prison"]


def test_a_charitys_own_file_goes_before_the_shipped_one(tmp_path: Path) -> None:
    own = read_definitions(changed(tmp_path, "What brings you here?", "Why now?", name="self.v3.yaml"))
    assert "Why now?" in [question.label for question in own["self"].questions()]
    assert set(own) == set(read_definitions())


def test_a_charitys_own_part_goes_into_the_shipped_forms(tmp_path: Path) -> None:
    own = read_definitions(
        changed(tmp_path, "What is your postcode?", "Where do you live?", name="parts/place.v3.yaml")
    )
    labels = {question.label for question in own["survivor"].questions()}
    assert "Where do you live?" in labels


def test_the_newest_version_is_asked(tmp_path: Path) -> None:
    changed(tmp_path, "version: 2", "version: 4").joinpath(PLACE).rename(tmp_path / "self.v4.yaml")
    assert read_definitions(tmp_path)["self"].version == 4


@pytest.mark.parametrize(
    ("before", "after", "what"),
    [
        ("        optional: true\n", "", "page what_brings_you, question what_brings_you: Below `more` every question"),
        ("exit: quiet", "exit: quiet\ntheirs_when: {who_writes: guardian}", "'who_writes', which is not asked"),
        ("kind: choice", "kind: choice\n        theirs: {text: a}", "Nobody knows the key 'text'"),
        ("kind: choice", "kind: choice\n        otherwise: None", "'otherwise' is for postcodes"),
    ],
)
def test_a_mistake_in_what_can_wait_or_is_said_of_another_is_named(
    tmp_path: Path, before: str, after: str, what: str
) -> None:
    assert what in complaint(changed(tmp_path, before, after, name="self.v3.yaml"))


@pytest.mark.parametrize(
    ("before", "after", "where", "what"),
    [
        ("kind: choice", "kind: chioce", "page what_brings_you, question what_brings_you", "'kind' is one of text"),
        ("label: What brings you here?", "label: ''", "question what_brings_you", "The text 'label' is missing"),
        ("fills: concern", "fills: worry", "page concern, question concern", "no field 'worry' in contracts/sealed.py"),
        ("fills: concern", "fills: contact.email", "question concern", "can't hold an answer of kind long_text"),
        ("fills: hopes", "fills: answers", "question hopes", "is filled by the site itself"),
        ("id: hopes", "id: concern", "page concern", "The id 'page concern' is used twice"),
        ("id: concern\n    questions:\n      - id: concern", "id: concern\n    questions:\n      - id: Concern!",
         "Concern!",
         "small letters"),
        ("optional: true", "optional: perhaps", "question what_brings_you", "'optional' is one of true, false"),
        ("optional: true", "optionl: true", "question what_brings_you", "Nobody knows the key 'optionl'"),
        ("value: acted, label", "value: thoughts, label", "question what_brings_you",
         "The choice 'thoughts' is there twice"),
        ("{what_brings_you: acted}", "{what_brings_you: done}", PLACE, "to be 'done', which it can't be"),
        ("{what_brings_you: acted}", "{nothing: acted}", PLACE, "'nothing', which is not asked"),
        ("- id: concern\n", "- id: concern\n    when: {legal_situation: charged}\n", "page concern",
         "'legal_situation', which comes later"),
        ("- id: legal\n", "- id: legal\n    when: {concern: much}\n", "page legal", "has no choices"),
        ("- id: concern\n", "- id: concern\n    unless: {legal_situation: charged}\n", "page concern",
         "'legal_situation', which comes later"),
        ("- id: legal\n", "- id: legal\n    unless: {what_brings_you: done}\n", "page legal", "which it can't be"),
        ("- id: legal\n", "- id: legal\n    unless: charged\n", "page legal", "`unless: {question: value}`"),
        ("  - include: consents.v1\n", "", PLACE, "no question of kind consent that fills 'consents.processing'"),
        ("  - include: confidentiality.v1\n", "", PLACE, "The first page asks for"),
        ("- include: contact.v1", "- include: contact.v9", PLACE, "no part parts/contact.v9.yaml"),
        ("  - include: place.v1\n", "", PLACE, "Nothing fills 'postcode'"),
        ("field: route, value: self", "field: route, value: neighbour", PLACE,
         "'route' can't hold the value 'neighbour'"),
        ("exit: quiet", "exit: loud", PLACE, "'exit' is one of prominent, quiet"),
        ("name: self", "name: me", PLACE, "Call the file me.v2.yaml"),
        ("version: 2", "version: one", PLACE, "'version' is a whole number"),
        ("title: For myself", "title: [", PLACE, "This is not YAML near line"),
        ("kind: yes_no_unsure", "kind: text", "page known, question known_to_authorities",
         "can't hold an answer of kind text"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_place_and_what_to_do(
    tmp_path: Path, before: str, after: str, where: str, what: str
) -> None:
    said = complaint(changed(tmp_path, before, after))
    line = next((line for line in said.splitlines() if what in line), said)
    assert what in line
    assert PLACE in line
    assert where in line


def test_unsure_must_be_given_a_meaning_where_only_yes_or_no_is_kept(tmp_path: Path) -> None:
    said = complaint(changed(tmp_path, '\n      unsure_counts_as: "yes"', "", name="parts/risk.v1.yaml"))
    assert "question person_at_risk" in said
    assert "what not sure means" in said


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    shutil.copytree(SHIPPED, tmp_path / "own")
    changed(tmp_path / "own", "fills: hopes", "fills: wishes")
    changed(tmp_path / "own", "exit: quiet", "exit: loud", name="professional.v1.yaml")
    said = complaint(tmp_path / "own")
    assert "'wishes'" in said
    assert "professional.v1.yaml" in said
