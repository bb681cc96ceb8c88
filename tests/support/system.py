"""A whole running system for tests: every service as its own process, on a virtual host and databases of its own."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType

from chassis.bus.permissions import ENQUIRY
from chassis.privacy.sealing import Keyring
from chassis.rpc import RpcClient
from leeward.runtime.local_broker import Node
from leeward.runtime.supervisor import Supervisor
from leeward.runtime.workspace import SERVICES, Workspace
from tests.support.people import sign_as
from tests.support.postgresql import Server
from tests.support.users import Guarded
from web.publisher.publisher import Publisher


@dataclass
class System:
    """What a test needs of a running system."""

    store: str
    amqp_uri: str
    workspace: Workspace
    supervisor: Supervisor
    rpc: RpcClient
    """Gives the commands of staff."""
    site_rpc: RpcClient
    """Asks and tells what the public site does, for which nobody has signed in."""
    publisher: Publisher
    keyring: Keyring

    def advance(self, by: timedelta) -> None:
        """Moves every service's clock on."""
        self.workspace.clock.advance(by)

    def kill(self, service: str) -> None:
        """SIGKILL, and nothing is told."""
        process = self.supervisor.running[service].process
        process.send_signal(signal.SIGKILL)
        process.wait()


@contextmanager
def whole_system(
    node: Node,
    folder: Path,
    *,
    name: str,
    server: Server | None,
    settings: Mapping[str, str] = MappingProxyType({}),
    guarded: Guarded | None = None,
) -> Iterator[System]:
    """Runs every service, on PostgreSQL if a server is given and on SQLite otherwise, with these settings besides.

    On a guarded virtual host each has its own user, commands are given as the console, and `amqp_uri` is for the test.
    """
    workspace = Workspace(folder)
    workspace.prepare({one: server.create_database(f"{name}_{one}") for one in SERVICES} if server else None)
    with workspace.settings.open("a") as file:
        chosen = {"EVALUATION_CLIENT_INSTRUMENT": "core-10", **settings}
        file.writelines(f"{setting}={value}\n" for setting, value in chosen.items())
    workspace.clock.start()
    amqp_uri = guarded.admin_uri if guarded else virtual_host(node, name)

    def uri_of(user: str) -> str:
        return guarded.uri(user) if guarded else amqp_uri

    own_uris = {service: uri_of(service) for service in SERVICES}
    # Killed again and again, each is started again at once.
    supervisor = Supervisor(workspace, uri_of("operator"), own_uris=own_uris, delay=lambda _: 0.0)
    publisher = Publisher(uri_of("web"), keys=workspace.keys, spool=workspace.spool)
    with ExitStack() as stack:
        stack.callback(supervisor.stop)
        stack.callback(publisher.close)
        supervisor.migrate()
        supervisor.start()
        yield System(
            store="postgresql" if server else "sqlite",
            amqp_uri=amqp_uri,
            workspace=workspace,
            supervisor=supervisor,
            rpc=stack.enter_context(RpcClient(uri_of("staff"), sign=sign_as(workspace.keys))),
            site_rpc=stack.enter_context(RpcClient(uri_of(ENQUIRY), ENQUIRY)),
            publisher=publisher,
            keyring=Keyring(workspace.keys),
        )


def http_of(system: System, service: str) -> str:
    """The address of a service's HTTP port."""
    run = system.workspace.read_run_file()
    assert run
    return str(run["services"][service]["http"])


def virtual_host(node: Node, name: str) -> str:
    """A virtual host of its own on the node, and its address."""
    node.control("add_vhost", name)
    node.control("set_permissions", "-p", name, "leeward", ".*", ".*", ".*")
    return node.amqp_uri.replace("/%2F", f"/{name}")
