"""The entrypoint of a command: nameko's RPC, in its wire format, which declares only what is the service's own."""

from __future__ import annotations

from nameko.rpc import Rpc, RpcConsumer


class CommandConsumer(RpcConsumer):  # type: ignore[misc]
    """Leaves nameko's exchange to the topology: a service's broker user may not declare what all of them share."""

    def setup(self) -> None:
        super().setup()
        self.queue.exchange.no_declare = True


class Command(Rpc):  # type: ignore[misc]
    rpc_consumer = CommandConsumer()
