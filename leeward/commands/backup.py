"""`leeward backup` and `leeward restore`: every service's database without keys, and the keys apart.

A destroyed key must not come back with a backup. So databases are copied without keys, and any number of copies may be
stored; of the keys only the newest copy is stored, which shows who was erased meanwhile.
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from chassis.audit.anchors import set_aside
from chassis.audit.chain import AuditAction
from chassis.audit.store import reach
from chassis.store.revision import current
from contracts.permissions import FrontEnd
from leeward.backups.copies import (
    copy_without_keys,
    read_data_keys,
    read_data_keys_if_any,
    record_restored,
    restore_copy,
    suffix_of,
)
from leeward.backups.key_copies import NoKeys, read_keys, write_keys
from leeward.console.operator import login
from leeward.console.operators_audit import record_audit
from leeward.console.options import VAR, AsJson, Folder, new_folder
from leeward.console.terminal import console, plain_errors, step
from leeward.errors import Refusal
from leeward.runtime.supervisor import locked, refuse_if_running
from leeward.runtime.workspace import ACCOUNTS, HAVE_DATA_KEYS, SERVICES, Workspace

MANIFEST = "backup.json"
FORMAT = 1


class NoBackup(Refusal):
    """There is no whole backup in a folder; the message says what is missing."""


def backup(
    to: Annotated[
        Path | None, typer.Option("--to", callback=new_folder, help="A new folder, for the databases without keys.")
    ] = None,
    keys_to: Annotated[
        Path | None,
        typer.Option("--keys-to", callback=new_folder, help="Another place, for the keys: replaces the copy there."),
    ] = None,
    var: Folder = VAR,
    as_json: AsJson = False,
) -> None:
    """Copies every database while it is in use, and the keys apart. With --keys-to alone only the keys.

    Keep the two apart from each other, and from the settings with the master keys: together they can be read.
    """
    if to is None and keys_to is None:
        raise typer.BadParameter("say --to, --keys-to or both")
    workspace = Workspace(var)
    with plain_errors():
        if to is not None:
            refuse_together(to, keys_to)
            back_up(workspace, to)
        if keys_to is not None:
            copy_keys(workspace, keys_to)
    written = {"to": str(to) if to else None, "keys_to": str(keys_to) if keys_to else None}
    console.print(json.dumps(written) if as_json else "Done.")


def restore(
    from_: Annotated[Path, typer.Option("--from", help="The folder of a backup.")],
    keys_from: Annotated[Path, typer.Option("--keys-from", help="The folder of the newest copy of the keys.")],
    var: Folder = VAR,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask, for scripts.")] = False,
) -> None:
    """Replaces every service's database by a backup. Who was erased since stays erased, and is so everywhere again.

    All services must have been stopped. What has happened since the backup is gone; see docs/personal-data.md.
    """
    workspace = Workspace(var)
    with plain_errors(), locked(workspace):
        refuse_if_running(workspace, say=step)
        manifest = read_manifest(from_)
        if not yes:
            when = manifest["taken_at"][:19].replace("T", " ")
            typer.confirm(f"Replace every database by what it was at {when} UTC?", abort=True)
        restore_all(workspace, from_, keys_from, manifest)
    console.print("Restored. Start the services: `leeward migrate` first, if this version is newer than the backup.")
    if ACCOUNTS in manifest["databases"]:
        console.print("Accounts are as they were then: whoever has left since has one again. Please look.")


def back_up(workspace: Workspace, to: Path) -> None:
    """Raises CopyFailed, NoBackup if there is one in the folder already."""
    if to.exists() and any(to.iterdir()):
        raise NoBackup(f"{to} is not empty. Name a new folder for each backup.")
    to.mkdir(mode=0o700, parents=True, exist_ok=True)
    taken_at, databases = workspace.clock.now(), {}
    for service, url in _stores(workspace).items():
        step(f"copying {service}")
        file = to / f"{service}{suffix_of(url)}"
        copy_without_keys(url, file)
        databases[service] = {"file": file.name, "revision": current(url), "sha256": _sha256(file)}
    manifest = {"format": FORMAT, "taken_at": taken_at.isoformat(), "databases": databases}
    (to / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n")  # written last: a folder without it is no backup


def _stores(workspace: Workspace) -> dict[str, str]:
    """The databases of the services, and that of accounts if the console has ever run here."""
    accounts = workspace.accounts_store_if_any()
    return workspace.stores() | ({ACCOUNTS: accounts} if accounts else {})


def copy_keys(workspace: Workspace, to: Path) -> None:
    for service in HAVE_DATA_KEYS:
        write_keys(to, read_data_keys(workspace.stores()[service], service, clock=workspace.clock))


def read_manifest(folder: Path) -> dict[str, Any]:
    """Raises NoBackup."""
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text())
    except (OSError, ValueError) as error:
        raise NoBackup(f"{folder} holds no whole backup: {error}") from None
    if manifest.get("format") != FORMAT or set(manifest["databases"]) - {ACCOUNTS} != set(SERVICES):
        raise NoBackup(f"{folder} holds a backup of another version of Leeward.")
    return manifest


def restore_all(workspace: Workspace, folder: Path, keys_folder: Path, manifest: dict[str, Any]) -> None:
    """Checks everything before it changes anything. Raises NoBackup, NoKeys, CopyFailed, NoEntry.

    The audit logs continue from the backup's last entries. Anchors of later entries are moved to a file beside them.
    """
    databases = manifest["databases"]
    stores = workspace.stores() | ({ACCOUNTS: workspace.accounts_store()} if ACCOUNTS in databases else {})
    for service, database in databases.items():
        _refuse_damaged(folder / database["file"], database["sha256"])
        if not database["file"].endswith(suffix_of(stores[service])):
            raise NoBackup(f"The backup of {service} is of another kind of database than the settings name.")
    keys = {service: read_keys(keys_folder, service) for service in HAVE_DATA_KEYS}
    for service, copied in keys.items():
        if copied.taken_at < datetime.fromisoformat(manifest["taken_at"]):
            raise NoKeys(f"The copy of {service}'s keys is older than the backup. Restoring takes the newest keys.")
        # Somebody may have been erased since the keys were copied.
        keys[service] = copied.without(read_data_keys_if_any(stores[service], service, clock=workspace.clock))
    now, taken_at = workspace.clock.now(), datetime.fromisoformat(manifest["taken_at"])
    record_audit(workspace.audit, AuditAction.RESTORED, at=now, taken_at=manifest["taken_at"])
    for service, database in databases.items():
        step(f"restoring {service}")
        restore_copy(stores[service], folder / database["file"], keys.get(service), clock=workspace.clock)
        set_aside(workspace.anchors, service, beyond=reach(stores[service]), at=now)
        record_restored(stores[service], who=f"{FrontEnd.OPERATOR}:{login()}", taken_at=taken_at, at=now)


def refuse_together(to: Path, keys_to: Path | None) -> None:
    """Raises BadParameter if one folder lies in the other: whoever copies it would have both keys and databases."""
    if keys_to is None:
        return
    databases, keys = to.resolve(), keys_to.resolve()
    if databases == keys or databases in keys.parents or keys in databases.parents:
        raise typer.BadParameter("the keys must lie apart from the databases")


def _refuse_damaged(file: Path, sha256: str) -> None:
    try:
        if _sha256(file) == sha256:
            return
    except OSError as error:
        raise NoBackup(f"{file} can't be read: {error}") from None
    raise NoBackup(f"{file} is not as it was written: it was damaged or changed.")


def _sha256(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
