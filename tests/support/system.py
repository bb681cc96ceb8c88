"""A whole running system for tests: every service as its own process, on a virtual host and databases of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from types import MappingProxyType

from chassis.rpc import RpcClient
from chassis.sealing import Keyring
from leeward.broker import Node
from leeward.supervisor import Supervisor
from leeward.workspace import SERVICES, Workspace
from tests.support.postgresql import Server
from web.publisher.publisher import Publisher


@dataclass
class System:
    """What a test needs of a running system."""

    store: str
    amqp_uri: str
    workspace: Workspace
    supervisor: Supervisor
    rpc: RpcClient
    publisher: Publisher
    keyring: Keyring

    def advance(self, by: timedelta) -> None:
        """Moves every service's clock on."""
        self.workspace.clock.advance(by)

    def kill(self, service: str) -> None:
        """SIGKILL, and nothing is told."""
        process = self.supervisor.running[service].process
        process.kill()
        process.wait()


@contextmanager
def whole_system(
    node: Node, folder: Path, *, name: str, server: Server | None, settings: Mapping[str, str] = MappingProxyType({})
) -> Iterator[System]:
    """Runs every service, on PostgreSQL if a server is given and on SQLite otherwise, with these settings besides."""
    workspace = Workspace(folder)
    workspace.prepare({one: server.create_database(f"{name}_{one}") for one in SERVICES} if server else None)
    with workspace.settings.open("a") as file:
        file.writelines(f"{setting}={value}\n" for setting, value in settings.items())
    workspace.clock.start()
    amqp_uri = virtual_host(node, name)
    supervisor = Supervisor(workspace, amqp_uri)
    publisher = Publisher(amqp_uri, keys=workspace.keys, spool=workspace.spool)
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
            rpc=stack.enter_context(RpcClient(amqp_uri)),
            publisher=publisher,
            keyring=Keyring(workspace.keys),
        )


def virtual_host(node: Node, name: str) -> str:
    """A virtual host of its own on the node, and its address."""
    node.control("add_vhost", name)
    node.control("set_permissions", "-p", name, "leeward", ".*", ".*", ".*")
    return node.amqp_uri.replace("/%2F", f"/{name}")
