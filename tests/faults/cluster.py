"""Three private nodes on loopback, joined into one cluster."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from leeward import broker
from leeward.broker import Node

SIZE = 3


class Cluster:
    """The nodes. The test itself talks to the first, the probe to the second, which so leads the probe's queues."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.nodes: list[Node] = []
        for number in range(SIZE):
            node = self._start(number)
            self.nodes.append(node)
            if number:
                node.control("stop_app")
                node.control("join_cluster", self.nodes[0].environment["RABBITMQ_NODENAME"])
                node.control("start_app")

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
                self.nodes[number] = self._start(number, int(node.environment["RABBITMQ_NODE_PORT"]))

    def close(self) -> None:
        for node in self.nodes[1:]:
            if node.process.poll() is None:
                self.kill(node)
        self.nodes[0].stop()

    def _start(self, number: int, port: int | None = None) -> Node:
        beside = self.nodes[0] if self.nodes else None
        return broker.start(self._folder / f"node-{number}", port=port, beside=beside)


@contextmanager
def clustered(folder: Path) -> Iterator[Cluster]:
    """A cluster for as long as the block runs."""
    cluster = Cluster(folder)
    try:
        yield cluster
    finally:
        cluster.close()
