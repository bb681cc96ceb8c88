"""What the office puts right by command: consents, contacts, slips, alerts, and what could not be read."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from chassis.ids import new_id
from chassis.privacy.sealing import Keyring, make_keys
from chassis.rpc import CommandFailed
from contracts.catalogue import PUBLISHERS
from contracts.vocabulary import LinkState
from leeward.cli import app
from tests.support.bus import Sender, Tap, eventually
from tests.support.introduction import Visitor
from tests.support.people import ME
from tests.support.samples import consents, submission
from tests.support.story import Story
from tests.support.system import System


class Office:
    """A person at the command line."""

    def __init__(self, system: System) -> None:
        self._system = system

    def __call__(self, *arguments: str, typed: str = "", exit_code: int = 0) -> str:
        command = [*arguments, "--var", str(self._system.workspace.folder)]
        done = CliRunner().invoke(app, command, input=typed, env={"AMQP_URI": self._system.amqp_uri})
        assert done.exit_code == exit_code, done.output
        assert "Traceback" not in done.output
        return " ".join(done.output.split())


@pytest.fixture
def office(system: System) -> Office:
    return Office(system)


def test_consent_contact_and_undo(system: System, office: Office) -> None:
    with Tap(system.amqp_uri, PUBLISHERS) as tap:
        story = Story(system, tap)
        story.ask_for_help(consents=consents(pass_to_therapist=False))
        reference = str(story.receipt.reference)
        story.assess()
    assert "is on hold" in office("referral", "consent", reference, "research", "--told", "in_person")
    told = ("--told", "by_telephone")
    assert "is on hold" not in office("referral", "consent", reference, "pass_to_therapist", *told)
    changed = ("contact", reference, "--reason", "no_longer_safe")
    said = office("referral", *changed, "--channel", "text", typed="07700 900123\n")
    assert f"{reference} is reached in the new way" in said
    assert "is not an e-mail address" in office(
        "referral", *changed, "--channel", "email", typed="nowhere\n", exit_code=2
    )
    undone = ("undo", reference, "--reason", "recorded_by_mistake")
    assert "doesn't allow" in office("referral", *undone, exit_code=1)
    id_ = system.rpc.call("intake", "find_referral", reference=reference)["referral_id"]
    system.rpc.call("intake", "withdraw", referral_id=id_, reason="no_contact")
    assert "goes on where it was" in office("referral", *undone)


def test_needs_a_therapist_and_the_end_of_a_match(system: System, office: Office) -> None:
    with Tap(system.amqp_uri, PUBLISHERS) as tap:
        story = Story(system, tap)
        story.admit_therapist()
        story.ask_for_help()
        reference, therapist = str(story.receipt.reference), str(story.therapist_id)
        story.assess()
        why = ("--reason", "they_said")
        assert "name what is otherwise" in office("therapist", "change", therapist, *why, exit_code=2)
        assert "holds from now on" in office("therapist", "change", therapist, *why, "--fee", "40")
        assert story.heard("TherapistFeeChanged")["session_fee_pence"] == 40_00
        typed = "Thea Example\nthea.new@example.org\n\n"
        assert "in the new way" in office("therapist", "contact", therapist, *why, typed=typed)
        said = ("--reason", "preference_relaxed", "--told", "by_telephone")
        assert "what is on record already" in office("referral", "needs", reference, *said, exit_code=1)
        assert "accordingly" in office("referral", "needs", reference, *said, "--sex", "female")
        undo = ("undo-match-end", reference, "--reason", "recorded_by_mistake")
        assert "never had a therapist" in office("referral", *undo, exit_code=2)
        match = story.accept()
        assert match["session_fee_pence"] == 40_00
        assert "hadn't ended" in office("referral", *undo)
        system.rpc.call("matching", "end_match", match_id=match["match_id"], reason="completed")
        story.heard("ReferralClosed")
        assert "goes on with the same therapist" in office("referral", *undo)
        assert story.heard("ReferralReopened")["reason"] == "match_goes_on"


def test_a_therapist_who_gets_no_text_messages_rings_for_the_code(system: System, office: Office) -> None:
    with Tap(system.amqp_uri, PUBLISHERS) as tap:
        story = Story(system, tap)
        story.admit_therapist()
        story.ask_for_help()
        story.assess()
        match = story.accept()
        therapist = Visitor(story)
        assert therapist.look().number_ends is None
    reference = str(story.receipt.reference)
    for about in (reference, match["match_id"]):
        said = office("therapist", "code", about, "--reason", "called_back")
        assert str(story.therapist_id) in said
        (code,) = re.findall(r"\b[0-9]{3} [0-9]{3}\b", said)
        assert therapist.type(code)
    assert therapist.read()
    on_record = [one for one in json.loads(office("audit", "show", reference, "--json")) if one["what"] != "commanded"]
    assert [(one["who"], one["what"], one["reason"]) for one in on_record] == [
        (ME, "code_given", "called_back"),
        (ME, "code_given", "called_back"),
        (f"therapist {story.therapist_id}", "read", "introduction"),
    ]
    system.rpc.call("matching", "end_match", match_id=match["match_id"], reason="completed")
    eventually(lambda: therapist.look().state is LinkState.ANSWERED, "the link is void")
    assert "No therapist may see" in office("therapist", "code", reference, "--reason", "called_back", exit_code=1)


def test_an_alert_is_listed_acknowledged_and_decided(system: System, office: Office) -> None:
    with Tap(system.amqp_uri, PUBLISHERS) as tap:
        story = Story(system, tap)
        story.ask_for_help(identifiable_person_at_risk=True)
        concern_id = story.heard("SafeguardingConcernRaised")["concern_id"]
    eventually(lambda: concern_id in office("alerts", "list"), "the alert is listed")
    assert f"{ME} has it in hand" in office("alerts", "acknowledge", concern_id)
    with pytest.raises(CommandFailed, match="A colleague has taken"):
        system.rpc.call("notifications", "acknowledge_alert", concern_id=concern_id)
    assert concern_id not in office("alerts", "list")
    decided = ("outcome", concern_id, "childrens_services")
    assert "on record" in office("alerts", *decided, typed="They were told on the day.\n")


def test_what_could_not_be_read_is_listed_and_read_again(system: System, office: Office, tmp_path: Path) -> None:
    for reader in ("intake", "notifications"):
        make_keys(tmp_path, reader)
    id_ = str(new_id())
    sealed = Keyring(tmp_path).seal("intake", submission())
    body = {"submission_id": id_, "form": "help", "form_version": 1, "sealed": sealed}
    with Tap(system.amqp_uri, PUBLISHERS) as tap, Sender(system.amqp_uri) as sender:
        sender.send("web.events", "HelpRequested", body, message_id=id_)
        tap.wait_for("HelpRequestRefused", lambda one: one.data["submission_id"] == id_)
    listed = office("requests", "unreadable", "list", "--json", exit_code=1)
    assert [one["reason"] for one in json.loads(listed) if one["submission_id"] == id_] == ["unsealed"]
    assert "Put that key into the keys folder" in office("requests", "unreadable", "retry", id_, exit_code=1)
    assert "name submissions" in office("requests", "unreadable", "retry", exit_code=2)
