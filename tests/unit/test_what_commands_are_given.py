"""Whatever a person types after `leeward`, they are told in words what is wrong: nothing ends in a traceback."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Any, get_args
from uuid import UUID

import pytest
from typer.testing import CliRunner, Result

from leeward.cli import COMMANDS, _load, app
from leeward.console.options import VAR
from tests.unit.demo.sheets import NEEDED, as_csv

STARTS_SOMETHING = {"up", "bench"}
"""These are tried with what they refuse before they start anything."""
ODD = ("\u202eRobin\x1b[2J", "\udce9", "-1")
"""As arguments. `\\udce9` is how Python holds a byte that is no UTF-8."""


def leaves(name: str, command: Any, above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    path = (*above, name)
    if hasattr(command, "commands"):
        for inner, one in command.commands.items():
            yield from leaves(inner, one, path)
    else:
        yield path, command


EVERY = [leaf for name in COMMANDS for leaf in leaves(name, _load(name))]
each_command = pytest.mark.parametrize(("path", "command"), EVERY, ids=[" ".join(path) for path, _ in EVERY])


def run(*words: str) -> Result:
    done = CliRunner().invoke(app, list(words), env={"AMQP_URI": ""}, input="")
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        pytest.fail(f"leeward {' '.join(words)!a}: {done.exception!r}")
    assert "Traceback" not in done.output
    return done


def given(command: Any, odd: str | None = None) -> list[str]:
    """The least that a command wants, with something odd for whatever is free text."""
    options: list[str] = []
    arguments: list[str] = []
    for parameter in command.params:
        is_argument = parameter.param_type_name == "argument"
        if not parameter.required and not (odd is not None and is_argument):
            continue
        word = odd if odd is not None and kind_of(parameter) is str else _sample(kind_of(parameter))
        if is_argument:
            arguments.append(word)
        else:
            options += [parameter.opts[0], word]
    return [*options, "--", *arguments]


def kind_of(parameter: Any) -> Any:
    """The Python type of what is typed for it."""
    annotation = parameter.type_descriptor.annotation
    return next(iter(get_args(annotation)), annotation)


def _sample(kind: Any) -> str:
    if isinstance(kind, type) and issubclass(kind, Enum):
        return str(next(iter(kind)).value)
    samples = {UUID: "0192f0c0-0000-7000-8000-000000000000", datetime: "2026-11-30", int: "1"}
    return samples.get(kind, "nothing-like-it")


def in_var(command: Any, var: Path) -> list[str]:
    return ["--var", str(var)] if any("--var" in one.opts for one in command.params) else []


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a command writes where it was started is written where it does no harm."""
    monkeypatch.chdir(tmp_path)


@each_command
def test_with_nothing_running_a_command_says_so(path: tuple[str, ...], command: Any, tmp_path: Path) -> None:
    if path[0] in STARTS_SOMETHING | {"demo", "migrate"}:
        pytest.skip("starts something")
    words = given(command)
    run(*path, *in_var(command, tmp_path / "var"), *words)


@each_command
def test_odd_words_are_refused_in_words(path: tuple[str, ...], command: Any, tmp_path: Path) -> None:
    if path[0] in STARTS_SOMETHING | {"demo"}:
        pytest.skip("takes no words")
    for odd in ODD:
        run(*path, *in_var(command, tmp_path / "var"), *given(command, odd))


@each_command
def test_a_file_in_place_of_a_folder_is_no_traceback(path: tuple[str, ...], command: Any, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"\xff\x00 not what was expected")
    if path[0] in STARTS_SOMETHING | {"demo"}:
        pytest.skip("has a test of its own, or would start")
    for parameter in command.params:
        if kind_of(parameter) is Path and parameter.param_type_name == "option":
            rest = in_var(command, tmp_path / "var") if parameter.name != "var" else []
            for place in (file, file / "below", tmp_path / "none" / "none"):
                run(*path, *rest, parameter.opts[0], str(place), *given(command))


@each_command
def test_a_folder_of_files_that_hold_something_else_is_refused_in_words(
    path: tuple[str, ...], command: Any, tmp_path: Path
) -> None:
    if path[0] in STARTS_SOMETHING | {"demo"} or not in_var(command, tmp_path):
        pytest.skip("reads nothing there")
    for content, name in ((b"[]", "run.json"), (b"\xff\xfe\x00", "leeward.env")):
        var = tmp_path / f"var-{len(content)}-{name}"
        var.mkdir(exist_ok=True)
        (var / name).write_bytes(content)
        run(*path, "--var", str(var), *given(command))


@each_command
def test_a_number_must_be_one(path: tuple[str, ...], command: Any, tmp_path: Path) -> None:
    for parameter in command.params:
        if kind_of(parameter) in (int, float) and not parameter.is_flag:
            for wrong in ("many",):
                done = run(*path, *given(command), parameter.opts[0], wrong)
                assert done.exit_code == 2


def test_the_demonstration_refuses_what_it_is_given_before_it_starts(tmp_path: Path) -> None:
    requests = tmp_path / "requests.csv"
    requests.write_bytes(as_csv(NEEDED))
    assert "does not exist" in flat(run("demo", "--from", str(tmp_path / "none.csv")))
    assert "is a directory" in flat(run("demo", "--from", str(tmp_path)))
    assert "there is no folder" in flat(run("demo", "--json", str(tmp_path / "none" / "report.json")))
    assert "is a folder" in flat(run("demo", "--json", str(tmp_path)))
    assert "leave out --referrals" in flat(run("demo", "--from", str(requests), "--referrals", "5"))
    requests.write_bytes(as_csv({**NEEDED, "telephone": "4.47701E+11"}))
    assert "line 2, column telephone: was shortened" in flat(run("demo", "--from", str(requests)))


def flat(done: Result) -> str:
    assert done.exit_code in (1, 2)
    return " ".join("".join(one for one in done.output if one not in "│╭╮╰╯─").split())


@pytest.mark.parametrize(
    ("words", "told"),
    [(("--most", "25,50"), "has a comma that may part pounds from pence"), (("--most", "€25"), "is not in pounds"),
     (("--distance", "10 m"), "neither km nor miles"), (("--distance", "far"), "is not a distance")],
)  # fmt: skip
def test_money_and_distances_are_read_as_everywhere(words: tuple[str, str], told: str, tmp_path: Path) -> None:
    assert told in flat(
        run("referral", "needs", *words, "--var", str(tmp_path), *given(dict(EVERY)["referral", "needs"]))
    )


@pytest.mark.parametrize(
    ("channel", "typed", "told"),
    [("text", "01632 960001", "no text message reaches"), ("telephone", "4.47701E+11", "was shortened"),
     ("telephone", "0770o 900123", "is not a telephone number"), ("email", "robin@localhost", "no such domain")],
)  # fmt: skip
def test_how_somebody_is_reached_is_read_as_everywhere(channel: str, typed: str, told: str, tmp_path: Path) -> None:
    reason = _sample(kind_of(_param(("referral", "contact"), "reason")))
    words = ["referral", "contact", "R123", "--reason", reason, "--channel", channel]
    done = CliRunner().invoke(app, [*words, "--var", str(tmp_path)], input=f"{typed}\n", env={"AMQP_URI": ""})
    assert told in flat(done)
    assert typed not in done.output.replace(f": {typed}", "")


def _param(path: tuple[str, ...], name: str) -> Any:
    command = dict(EVERY)[path]
    return next(one for one in command.params if one.name == name)


def test_what_is_held_about_somebody_is_not_written_beside_the_source() -> None:
    assert _param(("export-subject",), "out").default is None
    assert Path("var") == VAR  # which Git leaves out
    ignored = (Path(__file__).parents[2] / ".gitignore").read_text().split()
    assert {"var/", "subject-access*"} <= set(ignored)
