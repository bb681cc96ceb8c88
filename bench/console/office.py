"""A whole system with the staff's console, and somebody signed in there who may see everything."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from unittest.mock import patch
from uuid import uuid4

from dotenv import dotenv_values

from bench.console.populate import populate
from bench.core.lab import Lab
from chassis.clock import SystemClock
from chassis.config import open_env
from chassis.privacy.sealing import Keyring
from chassis.rpc import RpcClient
from contracts.permissions import Role
from contracts.vocabulary import TherapistId
from leeward.console.operator import sign_as_operator
from leeward.runtime.supervisor import STAFF, Supervisor
from leeward.runtime.workspace import SERVICES, Workspace
from tests.support.bus import Tap
from tests.support.story import Story
from tests.support.system import System, virtual_host
from web.console.console import NAME, open_accounts
from web.console.settings import read
from web.publisher.publisher import Publisher
from web.shared.accounts.application import people, sessions
from web.shared.accounts.domain.grants import RoleGrant
from web.shared.accounts.domain.vocabulary import Factor, GrantState, State

THERAPISTS = 100
"""Who suit the referral whose page is measured."""


@dataclass(frozen=True)
class Office:
    """`cookie` is that of somebody who is signed in. `referral_id` has been assessed, and is offered."""

    address: str
    cookie: str
    amqp_uri: str
    pages_pid: int
    lists_pid: int
    referral_id: str

    @property
    def cookie_pair(self) -> tuple[str, str]:
        name, _, value = self.cookie.partition("=")
        return name, value


@contextmanager
def opened(lab: Lab, store: str, listed: int) -> Iterator[Office]:
    """Every service on one store, with so many referrals in a queue of the console, and the staff's pages."""
    workspace = Workspace(lab.folder / f"office-{store}")
    urls = {one: lab.database(store, f"office_{one}") for one in SERVICES} if store == "postgresql" else None
    workspace.prepare(urls)
    workspace.clock.start()
    amqp_uri = virtual_host(lab.node, f"office_{store}")
    supervisor = Supervisor(workspace, amqp_uri, console=True)
    try:
        supervisor.migrate()
        populate(workspace.stores()["console"], listed)
        cookie = sign_in(workspace)
        supervisor.start()
        with RpcClient(amqp_uri, sign=sign_as_operator(workspace, "bench")) as client:
            pages, lists = (supervisor.running[name].process.pid for name in (STAFF, "console"))
            referral_id = _offered(amqp_uri, workspace, supervisor, client)
            yield Office(supervisor.console or "", cookie, amqp_uri, pages, lists, referral_id)
    finally:
        supervisor.stop()


def sign_in(workspace: Workspace) -> str:
    """The cookie of a new account with every role of staff, made before the pages' process has the store."""
    with patch.dict(os.environ, {**dotenv_values(workspace.settings), "AMQP_URI": "amqp://localhost"}):
        accounts = open_accounts(read(open_env()), SystemClock())
    with accounts.work() as work:
        account = people.add_account(work, email="ada@example.org", name="Ada Example", state=State.ACTIVE)
        for role in set(Role) - {Role.THERAPIST}:
            work.accounts.add_grant(RoleGrant(account.id, role, GrantState.EFFECTIVE, None, work.now))
    with accounts.work() as work:
        person = work.accounts.find(account.id)
        assert person
        token = sessions.begin_full(work, person, Factor.CODE, browser="bench")
    accounts.database.engine.dispose()
    return f"{NAME}={token}"


def _offered(amqp_uri: str, workspace: Workspace, supervisor: Supervisor, client: RpcClient) -> str:
    """A referral that has come as far as its first offer, the old-fashioned way."""
    publisher, keyring = Publisher(amqp_uri, keys=workspace.keys, spool=workspace.spool), Keyring(workspace.keys)
    system = System("", amqp_uri, workspace, supervisor, client, client, publisher, keyring)
    with Tap(amqp_uri, ("intake", "matching")) as tap:
        story = Story(system, tap)
        for _ in range(THERAPISTS):
            story.therapist_id = TherapistId(uuid4())
            story.admit_therapist()
        story.ask_for_help()
        story.assess()
        tap.wait_for("TherapistOffered", lambda one: one.data["referral_id"] == story.referral_id)
    publisher.close()
    return story.referral_id
