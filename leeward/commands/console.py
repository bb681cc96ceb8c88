"""`leeward console`: what is done for the staff's console on the machine itself."""

from __future__ import annotations

import json
import os
from typing import Annotated

import typer

from chassis.bus.permissions import OPERATOR
from chassis.config import InvalidSettings, check, open_env
from chassis.rpc import RpcClient
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
ASKED = ("intake", "matching", "billing", "notifications")
"""Who knows where referrals stand; intake first, for of one that it doesn't know nothing counts."""

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
def rebuild(
    from_services: Annotated[
        bool,
        typer.Option(
            "--from-services",
            help="Ask the services first where each referral stands, for what is older than the console.",
        ),
    ] = False,
    var: Folder = VAR,
    as_json: AsJson = False,
) -> None:
    """Makes all lists of the console anew from its archive of events, while everything goes on running."""
    told: dict[str, int] = {}
    with broker_errors(), operators_client(Workspace(var), OPERATOR) as client:
        if from_services:
            told["snapshots"] = sum(_fill(client, service) for service in ASKED)
        told |= _rebuild(client)
    words = f"{told['referrals']} referrals are listed anew, from {told['events']} events."
    if from_services:
        words = f"The services told {told['snapshots']} things that were not known here. {words}"
    console.print(json.dumps(told) if as_json else words)


def _fill(client: RpcClient, service: str) -> int:
    """Asks a service page after page where referrals stand. Returns how much of it was news to the console."""
    news, after = 0, None
    while True:
        page = client.call(service, "snapshots", timeout=TIMEOUT_SECONDS, after=after)
        after = page.pop("after", None)
        filled: dict[str, int] = client.call("console", "fill", timeout=TIMEOUT_SECONDS, **page)
        news += filled["snapshots"]
        if after is None:
            return news


def _rebuild(client: RpcClient) -> dict[str, int]:
    """How many referrals are listed anew, and from how many events."""
    referrals = events = 0
    after: str | None = None
    while True:
        done = client.call("console", "rebuild", timeout=TIMEOUT_SECONDS, after=after, limit=REFERRALS_AT_ONCE)
        referrals, events = referrals + done["referrals"], events + done["events"]
        if (after := done.get("after")) is None:
            return {"referrals": referrals, "events": events}


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
