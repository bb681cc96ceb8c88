"""A virtual host on which everybody has only the rights that `leeward topology --definitions` gives."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from chassis.bus.permissions import definitions, users_of
from leeward.runtime.local_broker import Node
from leeward.runtime.topologies import topologies

PASSWORD = "drama-{user}"


@dataclass(frozen=True)
class Guarded:
    """The virtual host, by whom it is used."""

    node: Node
    vhost: str

    def uri(self, user: str) -> str:
        address = self.node.amqp_uri.partition("@")[2].rpartition("/")[0]
        return f"amqp://{user}:{PASSWORD.format(user=user)}@{address}/{quote(self.vhost, safe='')}"

    @property
    def admin_uri(self) -> str:
        return f"{self.node.amqp_uri.rpartition('/')[0]}/{self.vhost}"


def import_definitions(node: Node, vhost: str, folder: Path, *, empty: bool = False) -> Guarded:
    """Imports the generated definitions; if `empty`, the users and their rights alone."""
    everything = topologies()
    passwords = {user.name: PASSWORD.format(user=user.name) for user in users_of(everything)}
    content = definitions(everything, passwords, vhost=vhost)
    if empty:
        content |= {"exchanges": [], "queues": [], "bindings": []}
    path = folder / "definitions.json"
    path.write_text(json.dumps(content))
    node.control("import_definitions", str(path))
    node.control("set_permissions", "-p", vhost, "leeward", ".*", ".*", ".*")
    return Guarded(node, vhost)
