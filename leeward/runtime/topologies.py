"""What each service declares on the broker, and the variables that hold the passwords of its users."""

from __future__ import annotations

import warnings
from collections.abc import Iterable

from chassis.bus.topology import Topology
from leeward.runtime.workspace import SERVICES


def topologies(services: Iterable[str] = SERVICES) -> list[Topology]:
    """The topology that each service's class implies: its exchanges, queues and bindings."""
    warnings.filterwarnings("ignore", message=r"\s*Eventlet is deprecated")
    from chassis.host.entrypoints import topology_for
    from chassis.host.service_loader import (
        load,  # which brings nameko along, and no other command needs to wait for that
    )

    return [topology_for(load(service)) for service in services]


def variable_of(user: str) -> str:
    """The variable that holds a user's password."""
    return f"RABBITMQ_{user.upper()}_PASSWORD"
