"""`leeward evaluation`: a form filled in by telephone, question by question, and forms that could not be read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from chassis.privacy.sealing import Keyring, make_keys
from chassis.rpc import CommandFailed
from contracts.sealed import EnteredAnswers
from leeward.cli import app
from leeward.commands import evaluation
from leeward.console import unreadable

CHOICES = [{"value": value, "label": label} for value, label in enumerate(("Never", "Always"))]
FORM = {"items": [{"code": f"q{number}", "text": f"Question {number}?", "choices": CHOICES} for number in (1, 2, 3)]}


class Service:
    """Stands for evaluation."""

    def __init__(self) -> None:
        self.told: list[tuple[str, dict[str, Any]]] = []
        self.unreadable = [{"submission_id": one, "received_at": "2026-11-23T10:00:00+00:00"} for one in ("a", "b")]

    def call(self, service: str, command: str, **fields: Any) -> Any:
        self.told.append((command, fields))
        if command == "retry_unreadable_form" and fields["submission_id"] == "b":
            raise CommandFailed("StillUnreadable", "It is sealed to another key.")
        return {"show_form": FORM, "unreadable_forms": self.unreadable}.get(command, {})


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Service:
    make_keys(tmp_path / "keys", "evaluation")
    made = Service()

    @contextmanager
    def open_client(_: object) -> Iterator[Service]:
        yield made

    for module in (evaluation, unreadable):
        monkeypatch.setattr(module, "open_client", open_client)
    return made


def run(tmp_path: Path, *words: str, typed: str = "") -> Any:
    return CliRunner().invoke(app, ["evaluation", *words, "--var", str(tmp_path)], input=typed)


def test_each_question_is_asked_until_it_has_an_answer_and_the_answers_go_sealed(
    service: Service, tmp_path: Path
) -> None:
    done = run(tmp_path, "answer", "some-id", "--how", "telephone", typed="1\n7\n0\n-\n")
    assert done.exit_code == 0, done.output
    assert "Question 3?" in done.output
    assert "Please type one of 0, 1, or -." in done.output
    command, fields = service.told[-1]
    assert (command, fields["mode"]) == ("enter_answers", "telephone")
    entered = Keyring(tmp_path / "keys", "evaluation").open(EnteredAnswers, fields["sealed"])
    assert [(one.item, one.value) for one in entered.answers] == [("q1", 1), ("q2", 0)]


def test_what_could_not_be_read_is_listed_with_exit_code_1(service: Service, tmp_path: Path) -> None:
    assert run(tmp_path, "unreadable", "list").exit_code == 1
    service.unreadable = []
    listed = run(tmp_path, "unreadable", "list")
    assert (listed.exit_code, "could be read" in listed.output) == (0, True)


def test_all_of_it_is_read_again_and_what_still_can_t_be_is_named(service: Service, tmp_path: Path) -> None:
    done = run(tmp_path, "unreadable", "retry", "--all")
    assert done.exit_code == 1
    assert "a was read" in done.output
    assert "b: It is sealed to another key." in done.output
