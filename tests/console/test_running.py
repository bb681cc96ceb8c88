"""The console as a process: its settings, and what it says when it starts."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from chassis.config import InvalidSettings, check, open_env
from chassis.store.migrate import migrate
from leeward.cli import app
from leeward.runtime.workspace import Workspace
from tests.console.conftest import House
from tests.support.processes import run_module
from web.console import settings
from web.console.first_link import offer_first_link
from web.console.settings import ConsoleSettings, read

HERE = Path(settings.__file__).parent


def test_every_setting_is_documented() -> None:
    names = set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', (HERE / "settings.py").read_text()))
    assert len(names) > 10
    assert [name for name in names if f"`{name}`" not in (HERE / "README.md").read_text()] == []


@pytest.mark.parametrize(
    ("name", "wrong"),
    [("CONSOLE_ORIGIN", "http://staff.example.org"), ("CONSOLE_ORIGIN", "http://127.0.0.1:8001"),
     ("CONSOLE_ORIGIN", "https://staff.example.org/"), ("CONSOLE_MASTER_KEY", "too short"),
     ("LEEWARD_CONSOLE", "8001"), ("CONSOLE_ROLES", "whatever"),
     ("CONSOLE_OPENID_ISSUER", "http://login.example.org")],
)  # fmt: skip
def test_a_setting_that_is_wrong_is_named(
    console_settings: ConsoleSettings, monkeypatch: pytest.MonkeyPatch, name: str, wrong: str
) -> None:
    monkeypatch.setenv(name, wrong)
    env = open_env()
    with pytest.raises(InvalidSettings, match=name):
        read(env)
        check(env)


def test_a_provider_makes_no_administrators(console_settings: ConsoleSettings, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"ISSUER": "https://login.example.org", "CLIENT": "console", "SECRET": "secret"}.items():
        monkeypatch.setenv(f"CONSOLE_OPENID_{name}", value)
    for roles, is_right in (("a=assessor, m=finance", True), ("a=administrator", False), ("a=boss", False)):
        monkeypatch.setenv("CONSOLE_OPENID_ROLES", roles)
        env = open_env()
        if is_right:
            assert read(env).provider
            check(env)
            continue
        with pytest.raises(InvalidSettings, match="CONSOLE_OPENID_ROLES"):
            read(env)
            check(env)


def test_cookies_are_for_https_alone_wherever_there_is_https(
    console_settings: ConsoleSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not console_settings.secure
    monkeypatch.setenv("CONSOLE_ORIGIN", "https://staff.example.org")
    assert read(open_env()).secure


def test_a_database_that_is_behind_is_named_and_nothing_starts(console_settings: ConsoleSettings) -> None:
    with run_module("web.console", env={**os.environ}, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
        said = process.communicate(timeout=60)[1].decode()
    assert process.returncode == 78
    assert "python -m chassis.store.migrate accounts" in said


def test_the_first_link_is_in_a_file_of_its_owner_until_there_is_an_account(house: House, tmp_path: Path) -> None:
    file = tmp_path / "first"
    offer_first_link(house.accounts, file)
    assert file.stat().st_mode & 0o777 == 0o600
    house.browse().set_up(file.read_text().strip(), name="Ada Example", email="ada@example.org")
    offer_first_link(house.accounts, file)
    assert not file.exists()


def test_recover_works_beside_what_leeward_up_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`leeward up` brings a broker of its own, which only its run file names."""
    for name in ("AMQP_URI", "LEEWARD_CONFIG", "LEEWARD_CONSOLE", "CONSOLE_ORIGIN"):
        monkeypatch.setenv(name, "")  # put back afterwards, whatever the command sets
        monkeypatch.delenv(name)
    folder = tmp_path / "var"
    workspace = Workspace(folder)
    workspace.prepare()
    migrate("accounts", workspace.accounts_store())
    nothing_runs = CliRunner().invoke(app, ["console", "recover", "--var", str(folder)])
    assert nothing_runs.exit_code == 2
    workspace.write_run_file({"amqp_uri": "amqp://x:y@127.0.0.1:1/", "staff": {"http": "http://localhost:4321"}})
    recovered = CliRunner().invoke(app, ["console", "recover", "--var", str(folder)])
    assert "http://localhost:4321/link/" in recovered.output
