"""What all scenarios of a run share: one private broker, which may be killed and started again, and one PostgreSQL."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from leeward.runtime import local_broker
from leeward.runtime.free_ports import free_ports
from leeward.runtime.local_broker import Node
from tests.support import postgresql
from tests.support.postgresql import Server


class Ground:
    """A broker on one port for its whole life, and a PostgreSQL server unless there is none on this machine."""

    def __init__(self, folder: Path, server: Server | None) -> None:
        self.folder, self.server = folder, server
        (self.port,) = free_ports(1)
        self.node: Node
        self.start_broker()

    def start_broker(self) -> None:
        self.node = local_broker.start(self.folder / "broker", port=self.port)

    def kill_broker(self) -> None:
        """SIGKILL to the Erlang machine and all that it started."""
        os.killpg(self.node.process.pid, signal.SIGKILL)

    def bury_broker(self) -> None:
        """Clears away what a killed broker left, its port mapper above all."""
        self.node.process.wait()
        self.node.stop()

    @property
    def stores(self) -> tuple[str, ...]:
        return ("sqlite", "postgresql") if self.server else ("sqlite",)


@contextmanager
def prepared(folder: Path) -> Iterator[Ground]:
    """The ground for as long as the block runs."""
    binaries = postgresql.find_binaries()
    with ExitStack() as stack:
        server = stack.enter_context(postgresql.server(binaries)) if binaries else None
        ground = Ground(folder, server)
        stack.callback(lambda: ground.node.stop())
        yield ground
