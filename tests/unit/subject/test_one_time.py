"""A key for one answer: only whoever asked can open it, and nothing else can be passed off as a key."""

from __future__ import annotations

import json

import pytest
from joserfc.jwk import ECKey, RSAKey

from chassis.privacy.ephemeral_key import NotAKey, OneTimeKey, seal_to
from chassis.privacy.sealing import Unopenable
from contracts.commands.subject import Entry, Fact, Holding, Section, Topic
from contracts.sealed import Note

NOTE = Note(text="for one pair of eyes")


def test_only_whoever_asked_opens_the_answer() -> None:
    key, another = OneTimeKey(), OneTimeKey()
    answer = seal_to(key.public, NOTE)
    assert key.open(Note, answer) == NOTE
    with pytest.raises(Unopenable):
        another.open(Note, answer)


def test_an_answer_may_be_much_longer_than_a_message() -> None:
    entries = (Entry(facts=(Fact(what="What they wrote", value="w" * 10_000),)),) * 50
    held = Holding(service="intake", sections=(Section(topic=Topic.ANSWERS, entries=entries),))
    key = OneTimeKey()
    assert key.open(Holding, seal_to(key.public, held)) == held


def test_the_private_half_never_travels() -> None:
    assert "d" not in json.loads(OneTimeKey().public)


@pytest.mark.parametrize(
    "public",
    [
        "",
        "no key",
        "{}",
        json.dumps(RSAKey.generate_key(2048).as_dict(private=False)),
        json.dumps(ECKey.generate_key("P-384").as_dict(private=False)),
        json.dumps(ECKey.generate_key("P-256").as_dict(private=True)),
    ],
    ids=["nothing", "words", "empty", "RSA", "another curve", "private"],
)
def test_nothing_is_sealed_to_what_is_no_such_key(public: str) -> None:
    with pytest.raises(NotAKey):
        seal_to(public, NOTE)
