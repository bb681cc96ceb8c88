"""Three private nodes on loopback, joined into one cluster."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from leeward.runtime import local_broker
from leeward.runtime.local_broker import Node
from tests.faults.rig import wait_until

SIZE = 3
COOKIE = ".erlang.cookie"
JOIN = "rabbit:stop(), ok = rabbit_mnesia:join_cluster('{}', disc), rabbit:start()."
"""What `stop_app`, `join_cluster` and `start_app` do, in one call, because each takes a second."""


class Cluster:
    """The nodes. The test itself talks to the first, the probe to the second, which so leads the probe's queues."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.nodes: list[Node] = []

    def start(self) -> None:
        """Starts all of them at once and joins them."""
        for number in range(SIZE):
            self.nodes.append(self._begin(number))
            wait_until((self._folder / "node-0" / COOKIE).exists, "the nodes' common secret is there")
        first, *others = self.nodes
        first.wait_until_listening()
        for node in others:
            node.wait_until_listening()
            node.control("eval", JOIN.format(first.environment["RABBITMQ_NODENAME"]))

    @property
    def leader_port(self) -> int:
        return int(self.nodes[1].environment["RABBITMQ_NODE_PORT"])

    def leader(self, virtual_host: str, queue: str) -> Node:
        """The node that leads a quorum queue."""
        listed = json.loads(
            self.nodes[0].control("list_queues", "-p", virtual_host, "--formatter", "json", "name", "leader")
        )
        (name,) = (one["leader"] for one in listed if one["name"] == queue)
        return next(node for node in self.nodes if node.environment["RABBITMQ_NODENAME"] == name)

    def kill(self, node: Node) -> None:
        """SIGKILL to the node's Erlang machine and all that it started."""
        os.killpg(node.process.pid, signal.SIGKILL)
        node.process.wait()

    def revive(self) -> None:
        """Starts again whatever was killed."""
        for number, node in enumerate(self.nodes):
            if node.process.poll() is not None:
                self.nodes[number] = self._begin(number, int(node.environment["RABBITMQ_NODE_PORT"]))
                self.nodes[number].wait_until_listening()

    def close(self) -> None:
        for node in self.nodes[1:]:
            if node.process.poll() is None:
                self.kill(node)
        for node in self.nodes[:1]:
            node.stop()

    def _begin(self, number: int, port: int | None = None) -> Node:
        beside = self.nodes[0] if self.nodes else None
        return local_broker.begin(self._folder / f"node-{number}", port=port, beside=beside)


@contextmanager
def clustered(folder: Path) -> Iterator[Cluster]:
    """A cluster for as long as the block runs."""
    cluster = Cluster(folder)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.close()
