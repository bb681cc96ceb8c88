"""Everything held about a person can be given to them, and nothing of it is in the clear anywhere on its way."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

from typer.testing import CliRunner

from contracts.catalogue import PUBLISHERS
from contracts.reference import reference_for
from contracts.sealed import Aspects, Consent, Note, OutcomeReason, Writer
from contracts.vocabulary import Known, Sex
from leeward.cli import app
from leeward.runtime.local_broker import Node
from leeward.subject_access.gathering import HOLDERS
from tests.support.bus import Tap, eventually
from tests.support.people import ME
from tests.support.planting import Planted, files_under
from tests.support.samples import consents
from tests.support.story import Story, open_fund, return_form
from tests.support.system import virtual_host
from tests.system.test_nothing_leaks import PLANTED, Everything, everything, leeward, planted_form, take_in_hand
from web.shared.languages import MISSED, UNREAD

__all__ = ["everything"]

OF_OTHERS = {field for field in PLANTED if field.startswith("writer")} | {"organisation", "role", "relationship"}
"""About whoever wrote for the client: theirs, and left out."""

NOTED = "noted about periwinkle weather"
WHY_NOT = "a reason about tangled zithers"
NOT_TOLD = OF_OTHERS | {"passphrase", "date_of_birth"}
"""The passphrase nobody can tell; dates are written out."""


def a_full_life(everything: Everything, tap: Tap) -> Story:
    """A request with every kind of answer: assessed, noted upon, matched, paid for, asked after and worried about."""
    system = everything.system
    open_fund(system)
    story = Story(system, tap)
    story.admit_therapist(works_with_interpreters=True)
    form = planted_form()
    assert isinstance(form["written_by"], Writer)
    given = consents()
    form |= {
        "written_by": replace(form["written_by"], client_agrees=Known.YES),
        "subsidy_requested": True,
        "fee_ceiling_pence": 20_00,
        "definition": "self",
        "definition_version": 2,
        "therapist_sex": Sex.FEMALE,
        "therapist_sex_only": True,
        "therapy_language": "cy",
        "therapy_language_must": False,
        "consent_texts": (Consent(text="consent_processing", version=3, given_at=given.given_at, agreed=True),),
    }
    story.ask_for_help(**form)
    ask, seal = system.rpc.call, system.keyring.seal
    by = {"referral_id": story.referral_id}
    ask("intake", "hold", **by, reason="information_awaited", note=seal("intake", Note(text=NOTED)))
    ask("intake", "resume", **by, reason="information_came")
    story.assess(aspects=seal("intake", Aspects(social=PLANTED["assessors_words"], risk="for colleagues alone")))
    needs = {"reason": "client_asked", "told": "by_telephone", "interpreter_language": "pl", "max_distance_km": 45}
    ask("intake", "change_needs", **by, **needs)
    approved = story.heard("SubsidyApproved")
    take_in_hand(story)
    story.accept()
    today = system.workspace.clock.now().date().isoformat()
    story.heard("ReferralFeeCharged")
    ask("billing", "draw_down", award_id=approved["award_id"], attended_on=today)
    return_form(story, PLANTED["email"])
    story.heard("EvaluationSubmitted", respondent="client")
    return story


def decide(story: Story, outcome: str) -> None:
    """Somebody takes the concern that the form raised in hand, and decides."""
    ask, concern_id = story.system.rpc.call, story.heard("SafeguardingAlertSent")["concern_id"]
    ask("notifications", "acknowledge_alert", concern_id=concern_id)
    why = story.system.keyring.seal("notifications", OutcomeReason(words=WHY_NOT))
    given = {"concern_id": concern_id, "outcome": outcome, "reason": why}
    ask("notifications", "record_outcome", **given)


def export(everything: Everything, story: Story, folder: Path, *options: str) -> tuple[str, dict[str, Any]]:
    """The page and the JSON."""
    reference = str(story.receipt.reference)
    leeward(everything, "export-subject", reference, "--out", str(folder), *options)
    page, data = folder / f"subject-access-{reference}.html", folder / f"subject-access-{reference}.json"
    assert [path.stat().st_mode & 0o777 for path in (page, data)] == [0o600, 0o600]
    return page.read_text(), json.loads(data.read_text())


def topics(data: dict[str, Any]) -> dict[str, list[dict[str, str]]]:
    """By topic: each entry's values by what they are."""
    (request,) = data["requests"]
    return {
        part["topic"]: [{fact["what"]: fact["value"] for fact in entry["facts"]} for entry in part["entries"]]
        for part in request["parts"]
    }


def number_of(data: dict[str, Any], value: str) -> str:
    """The number of the one entry that tells this."""
    (request,) = data["requests"]
    entries = [entry for part in request["parts"] for entry in part["entries"]]
    (found,) = (entry for entry in entries if value in (fact["value"] for fact in entry["facts"]))
    return str(found["number"])


def test_everything_is_exported_and_none_of_it_lies_about(everything: Everything, tmp_path: Path) -> None:
    with Tap(everything.system.amqp_uri, PUBLISHERS) as tap:
        story = a_full_life(everything, tap)
        tap.hear_commands()
        page, data = export(everything, story, tmp_path / "first")
        found = topics(data)
        assert_complete(page, found)
        assert_left_out(everything, story, data, tmp_path)
        assert_all_of_it_is_told_in_welsh(everything, story, data, tmp_path)
        assert "concerns" not in found, "an enquiry that goes on isn't told"
        decide(story, "no_further_action")
        assert "concerns" in topics(export(everything, story, tmp_path / "second")[1])
        assert_staff_read_it(everything, str(story.receipt.reference))
        tap.listen(0.5)
        commands = [(one.name, one.body) for one in tap.heard if one.exchange == "nameko-rpc"]
    everything.planted = Planted(PLANTED | {"noted": NOTED, "why_not": WHY_NOT})
    assert any(name == "evaluation.about_subject" for name, _ in commands)
    assert everything.planted.search_all(commands) == []
    assert everything.search() == []
    on_record = json.loads(leeward(everything, "audit", "show", str(story.receipt.reference), "--json"))
    exported = {(service, ME, "exported") for service in HOLDERS}
    read = {(service, ME, "read") for service in ("intake", "notifications")}
    left_out = {("intake", ME, "left_out")}
    assessed = {("intake", "console:sam", "commanded")}
    assert {(one["service"], one["who"], one["what"]) for one in on_record} == exported | read | left_out | assessed
    assert_nothing_comes_back(everything, story, tmp_path)


def assert_complete(page: str, found: dict[str, list[dict[str, str]]]) -> None:
    """All that was typed, and what every service made of it, in words."""
    there = {field for field, value in PLANTED.items() if value in page}
    assert there == set(PLANTED) - NOT_TOLD
    for wanted in ("29 July 1983", NOTED, "Thea Example", "A fund for a test", "CORE-10"):
        assert wanted in page, wanted
    for unwanted in ("for colleagues alone", WHY_NOT, "no_further_action"):
        assert unwanted not in page, unwanted
    answers = {what: value for one in found["answers"] for what, value in one.items()}
    assert answers["What would you like us to know?"] == PLANTED["concern"], "below the form's own question"
    assert answers["Would you rather talk to a woman or a man?"] == "A woman", "as version 2 of the form asks it"
    assert answers["Is that a must for you?"] == "Yes"
    assert answers["Whether it must be in that language"] == "No"
    assert answers["Language of the interpreter, as we understood it"] == "pl"
    assert "What you need, or would like, was changed" in [step["What happened"] for step in found["steps"]]
    (consent,) = found["consents"]
    assert consent["You may keep and use what I have written, to find help"] == "Yes"
    assert consent["Version of the text"] == "3"
    assert "Something still had to be found out" in [step.get("Why") for step in found["steps"]]
    assert [one["To"] for one in found["messages"]].count("You") >= 3
    assert "Your score" in {what for one in found["evaluation"] for what in one}
    assert {"search", "offers", "matches", "money", "record", "notices"} <= set(found)


def assert_left_out(everything: Everything, story: Story, read: dict[str, Any], folder: Path) -> None:
    """Two entries of the export that was read are left out of the next, which says on which grounds; on record."""
    note, concern = number_of(read, NOTED), number_of(read, PLANTED["concern"])
    grounds = ("--ground", "other_person", "--ground", "somebody_at_risk")
    page, data = export(everything, story, folder / "cut", "--leave-out", note, "--leave-out", concern, *grounds)
    assert Planted({"noted": NOTED, "concern": PLANTED["concern"]}).search_all(files_under(folder / "cut")) == []
    assert note not in page
    assert "left something out of it" in page
    assert [one["what"] for one in data["left_out_by_a_person"]] == [
        "Something about somebody else",
        "Something that could put somebody at risk",
    ]
    assert topics(data)["consents"] == topics(read)["consents"]
    reference = str(story.receipt.reference)
    unknown = ("--leave-out", "000000", "--ground", "legal_advice")
    elsewhere = ("--out", str(folder / "unknown"))
    leeward(everything, "export-subject", reference, *elsewhere, *unknown, refused="there is no entry 000000")
    assert not (folder / "unknown").exists()
    on_record = json.loads(leeward(everything, "audit", "show", reference, "--json"))
    left_out = [one for one in on_record if one["what"] == "left_out"]
    assert [(one["who"], one["reason"].split("/")[:2]) for one in left_out] == [
        (ME, ["other_person intake", "steps"]),
        (ME, ["somebody_at_risk intake", "answers"]),
    ]


def assert_all_of_it_is_told_in_welsh(everything: Everything, story: Story, read: dict[str, Any], folder: Path) -> None:
    """Whatever a service says of what it holds has its Welsh, and what was typed stands as it was typed."""
    page, data = export(everything, story, folder / "welsh", "--language", "cy")
    assert re.findall('<span lang="en">(.*?)</span>', page) == ["Anything else"], (
        "a question that its form doesn't have"
    )
    assert MISSED in page
    assert UNREAD in page
    assert PLANTED["concern"] in page
    assert "Beth hoffech chi i ni ei wybod?" in page, "the form's own question"
    assert "29 Gorffennaf 1983" in page
    assert topics(data)["answers"] == topics(read)["answers"], "for machines it stays as it was"


def assert_staff_read_it(everything: Everything, reference: str) -> None:
    """All of it, also what the client isn't told: who wrote for them, what was noted on risk, why it was decided so."""
    record = leeward(everything, "referral", "show", reference, "--reason", "assessment")
    for wanted in (PLANTED["concern"], PLANTED["writer"], NOTED, "for colleagues alone"):
        assert wanted in record, wanted
    assert WHY_NOT in leeward(everything, "referral", "outcomes", reference)


def assert_nothing_comes_back(everything: Everything, story: Story, folder: Path) -> None:
    """After an erasure the export tells what is left, and that is nothing that was typed."""
    leeward(everything, "erase", str(story.receipt.reference), "--reason", "client_asked", "--anyway", "--yes")
    reference = str(story.receipt.reference)
    asked = everything.system.rpc.call
    eventually(lambda: not asked("intake", "erasure", reference=reference).get("waiting_for"), "all have forgotten")
    page, data = export(everything, story, folder / "third")
    assert Planted(PLANTED).search_all(files_under(folder / "third")) == []
    left = topics(data)
    assert {"erasure", "request", "steps", "money", "messages", "record"} <= set(left)
    assert not {"answers", "consents", "assessment", "offers"} & set(left)
    assert NOTED not in page
    leeward(everything, "export-subject", reference, "--out", str(folder / "third"), refused="is there already")


def test_nothing_is_written_where_a_service_is_silent(node: Node, tmp_path: Path) -> None:
    environment = {"AMQP_URI": virtual_host(node, "silent")}
    arguments = ["export-subject", reference_for(uuid4()), "--out", str(tmp_path / "out"), "--var", str(tmp_path)]
    done = CliRunner().invoke(app, arguments, env=environment)
    assert done.exit_code == 1
    assert "something would be missing" in done.output
    assert not (tmp_path / "out").exists()
