"""Requests that may be the same are merged, parted and told apart by command, and each mistake is told in words."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest
from typer.testing import CliRunner

from contracts.catalogue import PUBLISHERS
from contracts.reference import reference_for
from contracts.sealed import SafeChannel, SafeContact
from leeward.cli import app
from tests.support.bus import Tap
from tests.support.people import ME
from tests.support.story import Story
from tests.support.system import System


class Office:
    """A person at the command line."""

    def __init__(self, system: System) -> None:
        self._system = system

    def __call__(self, *arguments: str, refused: str = "") -> str:
        """What is printed; it must be refused in these words, if any are given."""
        folder = str(self._system.workspace.folder)
        command = ["referral", *arguments, "--var", folder]
        done = CliRunner().invoke(app, command, env={"AMQP_URI": self._system.amqp_uri})
        assert done.exit_code == (1 if refused else 0), done.output
        if refused:
            told = " ".join(done.stderr.split())  # a narrow terminal breaks it where it likes
            assert refused in told
            assert "Traceback" not in told
        return done.stdout

    def pairs(self, reference: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self("duplicates", reference, "--json"))
        return found


@pytest.fixture
def office(system: System) -> Office:
    return Office(system)


def ask(system: System, tap: Tap, email: str) -> str:
    """Sends a request, and returns its reference."""
    story = Story(system, tap)
    contact = SafeContact(channel=SafeChannel.EMAIL, email=email)
    story.ask_for_help(contact=contact, name="Zebedee Quillfeather")
    return str(story.receipt.reference)


def an_address() -> str:
    """One at which nobody else in this run is reached."""
    return f"{uuid4()}@example.org"


def test_a_pair_is_shown_merged_parted_and_told_apart(system: System, office: Office) -> None:
    address = an_address()
    with Tap(system.amqp_uri, PUBLISHERS) as tap:
        first, second = (ask(system, tap, address) for _ in range(2))
    (pair,) = office.pairs(first)
    assert (pair["reference"], pair["other_reference"], pair["alike"]) == (second, first, ["email"])
    shown = office("duplicates", second)
    assert all(wanted in shown for wanted in (first, second, "e-mail address", "received"))
    assert address not in shown
    assert "Quillfeather" not in shown
    assert f"{second} has stopped, and {first} goes on" in office("merge", second, first, "--reason", "sent_twice")
    assert office("duplicates", first) == "None wait to be looked at.\n"
    office("unmerge", second, "--reason", "different_people")
    apart = ("tell-apart", first, second, "--reason", "different_people")
    assert "told apart for good" in office(*apart)
    assert "had been told apart before" in office(*apart)
    assert office.pairs(first) == []
    assert_on_record(system, second)


def assert_on_record(system: System, reference: str) -> None:
    """Who took each step, and why."""
    found = system.rpc.call("intake", "find_referral", reference=reference)
    history = system.rpc.call("intake", "history", referral_id=found["referral_id"])["steps"]
    assert [(one["step"], one["taken_by"], one["reason"]) for one in history[1:]] == [
        ("merge", ME, "sent_twice"),
        ("unmerge", ME, "different_people"),
    ]
    entries = system.rpc.call("intake", "audit", subject_id=found["referral_id"])["entries"]
    assert [(one["what"], one["reason"]) for one in entries] == [
        ("commanded", "merge: sent_twice"),
        ("commanded", "unmerge: different_people"),
        ("told_apart", "different_people"),
    ]
    assert {one["who"] for one in entries} == {ME}


def test_each_mistake_is_told_in_words_that_say_what_to_do(system: System, office: Office) -> None:
    with Tap(system.amqp_uri, PUBLISHERS) as tap:
        one, other = (ask(system, tap, an_address()) for _ in range(2))
    merged, unmerged = ("--reason", "same_person_confirmed"), ("--reason", "different_people")
    nobodys = reference_for(uuid4())
    office("merge", one, nobodys, *merged, refused=f"{nobodys}: There is no request with this reference")
    office("duplicates", "12", refused="12: There is no request with this reference. Please check it.")
    office("merge", one, other, *merged, refused="no pair that waits to be looked at")
    office("merge", one, one, *merged, "--anyway", refused="one and the same")
    office("tell-apart", one, one, *unmerged, refused="one and the same")
    office("unmerge", one, *unmerged, refused=f"{one} was not merged into another. Name the one that stopped")
    office("merge", one, other, *merged, "--anyway")
    office("unmerge", other, *unmerged, refused=f"{other} was not merged into another")
    office("merge", other, one, *merged, "--anyway", refused="was itself merged into another")
    office("tell-apart", other, one, *unmerged, refused="Unmerge it if they are not the same")
