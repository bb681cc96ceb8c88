"""`leeward console`: what is done for the staff's console on the machine itself."""

from __future__ import annotations

import json
import os

import typer

from chassis.bus.permissions import OPERATOR
from chassis.config import InvalidSettings, check, open_env
from chassis.store.revision import NotMigrated, check_migrated
from leeward.console.options import VAR, AsJson, Folder
from leeward.console.service_client import operators_client
from leeward.console.terminal import broker_errors, broker_of, console, plain_errors
from leeward.errors import Refusal
from leeward.runtime.supervisor import STAFF
from leeward.runtime.workspace import Workspace
from web.console.console import STORE, open_accounts
from web.console.settings import read
from web.shared.accounts.application import recovery
from web.shared.accounts.application.ground import Accounts
from web.shared.accounts.domain.refusals import NoAdministrator, NotSole

REFERRALS_AT_ONCE, TIMEOUT_SECONDS = 500, 60.0

app = typer.Typer(no_args_is_help=True, add_completion=False, help="The staff's console, on the machine itself.")


@app.callback()
def console_commands() -> None:
    """The staff's console, on the machine itself."""


@app.command()
def recover(var: Folder = VAR) -> None:
    """Makes a one-time link by which the only administrator sets password and second factor up anew, on record.

    While nobody has an account yet, the link is for the first administrator.
    """
    with plain_errors():
        accounts = _accounts(Workspace(var))
        try:
            link = recovery.first_link(accounts) or recovery.recover(accounts)
        except (NotSole, NoAdministrator) as refused:
            raise Refusal(str(refused)) from None
    console.print(f"Open this within 30 minutes: {link}", soft_wrap=True)


@app.command()
def rebuild(var: Folder = VAR, as_json: AsJson = False) -> None:
    """Makes all lists of the console anew from its archive of events, while everything goes on running."""
    referrals = events = 0
    after: str | None = None
    with broker_errors(), operators_client(Workspace(var), OPERATOR) as client:
        while True:
            done = client.call("console", "rebuild", timeout=TIMEOUT_SECONDS, after=after, limit=REFERRALS_AT_ONCE)
            referrals, events = referrals + done["referrals"], events + done["events"]
            if (after := done.get("after")) is None:
                break
    told = {"referrals": referrals, "events": events}
    console.print(json.dumps(told) if as_json else f"{referrals} referrals are listed anew, from {events} events.")


def _accounts(workspace: Workspace) -> Accounts:
    """The console's accounts, by the folder's settings and at the address where it runs. Raises Refusal.

    Where nothing runs it ends with exit code 2: the link would lead nowhere.
    """
    running = (workspace.read_run_file() or {}).get(STAFF)
    if running:
        os.environ.setdefault("LEEWARD_CONSOLE", running["http"].removeprefix("http://"))
    os.environ["AMQP_URI"] = broker_of(workspace)
    os.environ.setdefault("LEEWARD_CONFIG", str(workspace.settings.absolute()))
    try:
        env = open_env()
        settings = read(env)
        check(env)
        check_migrated(STORE, settings.database_url)
    except (InvalidSettings, NotMigrated) as error:
        raise Refusal(str(error)) from None
    return open_accounts(settings, workspace.clock)
