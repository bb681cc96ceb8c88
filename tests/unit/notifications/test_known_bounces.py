"""Reports of real mail servers, from flufl.bounce's own tests: fetched as they were published, and not kept here."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from chassis.ids import new_id
from services.notifications.gateways.dsn import failed_message, return_address

LOCK = Path("services/notifications/requirements.txt")
AN_AUTOMATIC_REPLY = "qmail_08.txt"
AT_LEAST = 0.95


@dataclass(frozen=True)
class Known:
    """Mails by name, and which of them are reports of failure and of delay, as their collectors say."""

    mails: Mapping[str, bytes]
    failures: frozenset[str]
    delays: frozenset[str]


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Known:
    (source,) = fetched(tmp_path_factory.mktemp("flufl"))
    with tarfile.open(source) as archive:
        files = {Path(one.name).name: archive.extractfile(one) for one in archive.getmembers() if "/tests/" in one.name}
        content = {name: file.read() for name, file in files.items() if file}
    table = next(
        ast.literal_eval(statement.value)
        for statement in ast.parse(content["test_detectors.py"]).body
        if isinstance(statement, ast.Assign) and ast.unparse(statement.targets[0]) == "DETECTORS"
    )
    failures = frozenset(name for _, name, addresses, delayed in table if addresses and not delayed)
    delays = frozenset(name for _, name, _, delayed in table if delayed)
    return Known({name: mail for name, mail in content.items() if name.endswith(".txt")}, failures, delays)


def fetched(folder: Path) -> list[Path]:
    """The source of the very version that is locked, checked by its hash. Skips where there is no network."""
    locked = re.search(r"^flufl-bounce==.*?(?=^\S+==|\Z)", LOCK.read_text(), re.MULTILINE | re.DOTALL)
    assert locked
    (folder / "wanted.txt").write_text(locked[0])
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--no-binary", ":all:", "--require-hashes", "--requirement", "wanted.txt"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if "DO NOT MATCH THE HASHES" in done.stderr:
        pytest.fail("what was fetched is not what is locked")
    if done.returncode:
        pytest.skip("the source of flufl.bounce can't be fetched: there is no network, or no registry in it")
    return list(folder.glob("*.tar.gz"))


def failed(mail: bytes, *, at_its_own_address: bool) -> bool:
    """Whether a mail, once it has come here, says that our message was never delivered."""
    message_id = new_id()
    first, _, rest = mail.partition(b"\n")
    head = first + b"\n" if first.startswith(b"From ") else b""
    if at_its_own_address:
        to = f"Delivered-To: {return_address('bounces@example.org', str(message_id))}\n"
        return failed_message(head + to.encode() + (rest if head else mail)) == message_id
    return failed_message(mail + f"\n\nMessage-ID: <{message_id}@example.org>\n".encode()) == message_id


@pytest.mark.parametrize("at_its_own_address", [True, False])
def test_nearly_every_report_of_failure_is_seen(known: Known, at_its_own_address: bool) -> None:
    seen = {name for name in known.failures if failed(known.mails[name], at_its_own_address=at_its_own_address)}
    print(f"{len(seen)} of {len(known.failures)}")  # noqa: T201
    assert len(known.failures) > 80
    assert len(seen) >= AT_LEAST * len(known.failures), sorted(known.failures - seen)


@pytest.mark.parametrize("at_its_own_address", [True, False])
def test_no_delay_and_no_automatic_reply_is_taken_for_one(known: Known, at_its_own_address: bool) -> None:
    others = {*known.delays, AN_AUTOMATIC_REPLY}
    taken = {name for name in others if failed(known.mails[name], at_its_own_address=at_its_own_address)}
    print(f"{len(taken)} of {len(others)}")  # noqa: T201
    assert len(known.delays) >= 10
    assert taken == set()
