"""A backup that is put back: who was erased since stays erased, and all else is there and goes on."""

from __future__ import annotations

import shutil
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session
from typer.testing import CliRunner

from chassis.audit.anchors import read_anchors, write_anchor
from chassis.audit.chain import Anchor, chained
from chassis.audit.store import check, page
from chassis.ids import new_id
from chassis.privacy.vault import Erased, Vault
from chassis.rpc import CommandFailed
from chassis.store.engine import open_engine
from chassis.store.migrate import migrate
from contracts.catalogue import PUBLISHERS
from contracts.sealed import Aspects, HelpForm
from leeward.backups.copies import read_data_keys
from leeward.cli import app
from leeward.commands import audit
from leeward.console.operators_audit import entries_in
from leeward.runtime import processes
from leeward.runtime.local_broker import Node
from leeward.runtime.processes import lock_folder
from leeward.runtime.supervisor import Supervisor
from leeward.runtime.workspace import Workspace
from services.intake.store import tables
from tests.conftest import STORES
from tests.support.bus import Tap, eventually
from tests.support.planting import files_under
from tests.support.story import Story
from tests.support.system import System, whole_system


@pytest.fixture(params=STORES)
def system(request: pytest.FixtureRequest, node: Node, tmp_path: Path) -> Iterator[System]:
    """A system of its own, which is stopped and begun again."""
    server = request.getfixturevalue("postgresql_server") if request.param == "postgresql" else None
    with whole_system(node, tmp_path / "var", name=f"backup_{request.param}", server=server) as started:
        yield started


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """Databases that nobody uses."""
    prepared = Workspace(tmp_path / "var")
    prepared.prepare()
    Supervisor(prepared, "amqp://").migrate()
    return prepared


def leeward(where: System | Workspace, *arguments: str, refused: str = "") -> str:
    folder = where.workspace.folder if isinstance(where, System) else where.folder
    environment = {"AMQP_URI": where.amqp_uri} if isinstance(where, System) else {}
    done = CliRunner().invoke(app, [*arguments, "--var", str(folder)], env=environment)
    assert done.exit_code == (1 if refused else 0), done.output
    assert refused in " ".join(done.output.split())
    return done.stdout


def a_client(system: System, tap: Tap) -> Story:
    story = Story(system, tap)
    story.admit_therapist()
    story.ask_for_help()
    story.assess()
    story.heard("TherapistOffered")
    return story


def state_of(system: System, story: Story) -> str:
    return str(find(system, story)["state"])


def find(system: System, story: Story) -> dict[str, Any]:
    found: dict[str, Any] = system.rpc.call("intake", "find_referral", reference=str(story.receipt.reference))
    return found


def is_confirmed(system: System, story: Story) -> bool:
    return not system.rpc.call("intake", "erasure", reference=str(story.receipt.reference)).get("waiting_for")


def content_of(system: System, referral_id: str) -> bytes:
    """What a client wrote, as intake's database has it."""
    wanted = select(tables.personal_records.c.content).where(tables.personal_records.c.referral_id == UUID(referral_id))
    with Session(open_engine(system.workspace.stores()["intake"])) as session:
        return bytes(session.execute(wanted).scalar_one())


def read(system: System, referral_id: str, content: bytes) -> HelpForm:
    """What a client wrote, opened with the keys there are now. Raises Erased."""
    values = system.workspace.values()
    vault = Vault(tables.data_keys, str(values["INTAKE_MASTER_KEY"]))
    with Session(open_engine(str(values["INTAKE_DATABASE_URL"]))) as session:
        return vault.decrypt(session, UUID(referral_id), HelpForm, content)


def wrapped_keys(system: System) -> list[bytes]:
    return [
        wrapped
        for service in ("intake", "notifications")
        for wrapped, _ in read_data_keys(
            system.workspace.stores()[service], service, clock=system.workspace.clock
        ).wrapped.values()
        if wrapped
    ]


def forms(key: bytes) -> set[bytes]:
    return {key, key.hex().encode(), key.hex().upper().encode()}


def test_a_restored_backup_brings_back_all_but_whoever_was_erased_since(system: System, tmp_path: Path) -> None:
    backup, keys = tmp_path / "backup", tmp_path / "keys"
    with Tap(system.amqp_uri, PUBLISHERS) as tap:
        stays, goes = a_client(system, tap), a_client(system, tap)
        leeward(system, "backup", "--to", str(backup), "--keys-to", str(keys))
        assert_no_key(system, backup)
        content = content_of(system, goes.referral_id)

        reference = str(goes.receipt.reference)
        leeward(system, "erase", reference, "--reason", "client_asked", "--yes")
        eventually(lambda: is_confirmed(system, goes), "every service has forgotten")
        later = a_client(system, tap)
        leeward(system, "backup", "--keys-to", str(keys))

        leeward(system, "restore", "--from", str(backup), "--keys-from", str(keys), "--yes", refused="runs from")
        system.supervisor.stop()
        leeward(system, "restore", "--from", str(backup), "--keys-from", str(keys), "--yes")
        with pytest.raises(Erased):
            read(system, goes.referral_id, content)
        system.supervisor.start()

        eventually(lambda: state_of(system, goes) == "erased", "it is erased again")
        eventually(lambda: is_confirmed(system, goes), "everywhere")
        assert read(system, stays.referral_id, content_of(system, stays.referral_id)).name
        assert state_of(system, stays) == "offered"
        with pytest.raises(CommandFailed, match="no request with this reference"):
            find(system, later)
        stays.accept()
        eventually(lambda: state_of(system, stays) == "matched", "what was restored goes on")
        a_client(system, tap)
    assert leeward(system, "retention", "show", str(stays.receipt.reference))


def assert_no_key(system: System, backup: Path) -> None:
    """Nor a trace of one, in a page or anywhere else; dumps are unpacked by the search."""
    planted = wrapped_keys(system)
    assert len(planted) >= 4
    unpacked = backup.with_name("unpacked")
    for dump in backup.glob("*.dump"):
        unpack(dump, unpacked / dump.name)
    places = [*files_under(backup), *(files_under(unpacked) if unpacked.exists() else ())]
    assert any(b"referral" in content for _, content in places)
    assert [where for where, content in places for key in planted if any(form in content for form in forms(key))] == []
    assert {stat.S_IMODE(path.stat().st_mode) for path in backup.iterdir() if path.name != "backup.json"} == {0o600}


def unpack(dump: Path, to: Path) -> None:
    to.parent.mkdir(exist_ok=True)
    subprocess.run(["pg_restore", f"--file={to}", str(dump)], check=True)


def test_a_backup_that_is_not_whole_or_newer_than_its_keys_is_refused(workspace: Workspace, tmp_path: Path) -> None:
    backup, keys, older = tmp_path / "backup", tmp_path / "keys", tmp_path / "older"
    leeward(workspace, "backup", "--keys-to", str(keys))
    shutil.copytree(keys, older)
    leeward(workspace, "backup", "--to", str(backup), "--keys-to", str(keys))
    assert {stat.S_IMODE(path.stat().st_mode) for path in keys.iterdir()} == {0o600}
    assert {path.name for path in keys.iterdir()} == {"intake.keys.json", "notifications.keys.json"}
    leeward(workspace, "backup", "--to", str(backup), refused="is not empty")
    assert not list(workspace.folder.glob("*.copying*"))
    before = {path.name: path.read_bytes() for path in workspace.folder.glob("*.db")}

    def restore(from_: Path, keys_from: Path, refused: str) -> None:
        arguments = ("restore", "--from", str(from_), "--keys-from", str(keys_from), "--yes")
        leeward(workspace, *arguments, refused=refused)

    restore(backup, older, "older than the backup")
    restore(backup, tmp_path, "is no copy of intake's keys")
    restore(tmp_path, keys, "holds no whole backup")
    with (backup / "billing.db").open("ab") as file:
        file.write(b"x")
    restore(backup, keys, "damaged or changed")
    assert {path.name: path.read_bytes() for path in workspace.folder.glob("*.db")} == before


def test_the_keys_never_lie_with_the_databases(workspace: Workspace, tmp_path: Path) -> None:
    both = str(tmp_path / "both")
    done = CliRunner().invoke(
        app, ["backup", "--to", both, "--keys-to", both + "/keys", "--var", str(workspace.folder)]
    )
    assert done.exit_code == 2
    assert not (tmp_path / "both").exists()


def test_who_was_erased_after_the_keys_were_copied_stays_erased_too(workspace: Workspace, tmp_path: Path) -> None:
    """As long as the database that is replaced can still be read."""
    values, person = workspace.values(), new_id()
    vault = Vault(tables.data_keys, str(values["INTAKE_MASTER_KEY"]))
    words = Aspects(social="made up")
    with Session(open_engine(workspace.stores()["intake"])) as session:
        content = vault.encrypt(session, person, words, at=workspace.clock.now())
        session.commit()
        backup, keys = tmp_path / "backup", tmp_path / "keys"
        leeward(workspace, "backup", "--to", str(backup), "--keys-to", str(keys))
        vault.destroy(session, person, at=workspace.clock.now())
        session.commit()
    leeward(workspace, "restore", "--from", str(backup), "--keys-from", str(keys), "--yes")
    with Session(open_engine(workspace.stores()["intake"])) as session, pytest.raises(Erased):
        vault.decrypt(session, person, Aspects, content)


def test_what_is_said_after_a_restore_is_newer_than_all_that_was_said_before(
    workspace: Workspace, tmp_path: Path
) -> None:
    url, subject = workspace.stores()["billing"], new_id()
    table = tables.metadata.tables["subject_sequence"]
    with open_engine(url).begin() as connection:
        connection.execute(table.insert().values(subject_id=subject, last=7))
    backup, keys = tmp_path / "backup", tmp_path / "keys"
    leeward(workspace, "backup", "--to", str(backup), "--keys-to", str(keys))
    with open_engine(url).begin() as connection:
        connection.execute(table.update().values(last=9))
    leeward(workspace, "restore", "--from", str(backup), "--keys-from", str(keys), "--yes")
    with open_engine(url).connect() as connection:
        assert connection.execute(select(table.c.last)).scalar_one() > 9


def test_nothing_is_restored_while_somebody_else_has_the_folder(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "ENDS_WITHIN_SECONDS", 0.2)
    with lock_folder(workspace.folder):  # as `leeward up` has from its very start
        leeward(workspace, "restore", "--from", str(tmp_path), "--keys-from", str(tmp_path), refused="runs from")


def test_what_was_anchored_beyond_a_backup_is_kept_and_does_not_count_after_a_restore(
    workspace: Workspace, tmp_path: Path
) -> None:
    table, first = tables.metadata.tables["audit_entry"], put_on_record_and_anchor(workspace, after=None)
    backup, keys = tmp_path / "backup", tmp_path / "keys"
    leeward(workspace, "backup", "--to", str(backup), "--keys-to", str(keys))
    second = put_on_record_and_anchor(workspace, after=first)
    leeward(workspace, "restore", "--from", str(backup), "--keys-from", str(keys), "--yes")
    with open_engine(workspace.stores()["intake"]).connect() as connection:
        known = read_anchors(workspace.anchors, "intake").anchors
        assert known == (first,)
        assert check(connection, table, known).holds
        (newest,) = page(connection, table, limit=1)
    recorded = (newest["what"], newest["who"].partition(":")[0])
    assert recorded == ("restored", "operator"), "in the service's own log, too"
    (kept,) = workspace.anchors.glob("intake-*")
    assert read_anchors(workspace.anchors, kept.stem).anchors == (first, second)
    (on_record,) = entries_in(workspace.audit)
    assert on_record["what"] == "restored"


def put_on_record_and_anchor(workspace: Workspace, *, after: Anchor | None) -> Anchor:
    at = workspace.clock.now()
    about = {"who": "rule", "what": "read", "subject_id": None, "reason": None}
    entry = chained({"at": at.isoformat(), **about}, after=after)
    with open_engine(workspace.stores()["intake"]).begin() as connection:
        connection.execute(tables.metadata.tables["audit_entry"].insert().values({**entry, "at": at}))
    anchor = Anchor(entry["sequence"], entry["hash"])
    assert write_anchor(workspace.anchors, "intake", anchor, at=at)
    return anchor


def test_the_consoles_accounts_are_backed_up_and_its_audit_log_is_verified(
    workspace: Workspace, tmp_path: Path
) -> None:
    url = workspace.accounts_store()
    migrate("accounts", url)
    add = text(
        "INSERT INTO account (id, email, name, state, created_at) VALUES (:id, 'sam@example.org', 'Sam', 'active', :at)"
    )
    with open_engine(url).begin() as connection:
        connection.execute(add, {"id": new_id().hex, "at": "2026-12-01 09:00:00.000000"})
    backup, keys = tmp_path / "backup", tmp_path / "keys"
    leeward(workspace, "backup", "--to", str(backup), "--keys-to", str(keys))
    assert (backup / "accounts.db").exists()
    with open_engine(url).begin() as connection:
        connection.execute(text("DELETE FROM account"))
    restored = leeward(workspace, "restore", "--from", str(backup), "--keys-from", str(keys), "--yes")
    assert "whoever has left since has one again" in restored
    with open_engine(url).connect() as connection:
        assert connection.execute(text("SELECT name FROM account")).scalars().all() == ["Sam"]
    assert audit.verify_here(workspace, "accounts", url).is_well
