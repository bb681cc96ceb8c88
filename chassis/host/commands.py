"""The entrypoint of a command. All commands of a service share one consumer and its connection."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import structlog
from nameko.exceptions import ContainerBeingKilled
from nameko.extensions import Entrypoint, SharedExtension
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from chassis.access.authorization import Origin
from chassis.bus.commands import Command, CommandConsumer, CommandRefused, Result
from chassis.host.provider import chassis_of
from chassis.observability.logs import describe
from chassis.ports import Refused
from contracts.shape import InvalidShape, Shape

KNOWN_ERRORS = (Refused, InvalidShape)
"""Errors whose message the caller may see."""

STORE_UNAVAILABLE = CommandRefused(
    "StoreUnavailable", "The service's database doesn't answer just now. Nothing was changed; try again in a moment."
)

log = structlog.get_logger()


class Commands(SharedExtension):  # type: ignore[misc]
    """Consumes the commands of a service, and runs each in a nameko worker of its own."""

    def __init__(self) -> None:
        super().__init__()
        self._methods: dict[str, CommandMethod] = {}
        self._consumer: CommandConsumer | None = None

    def register(self, method: CommandMethod) -> None:
        self._methods[method.method_name] = method

    def start(self) -> None:
        chassis = chassis_of(self.container)
        self._consumer = CommandConsumer(
            service=self.container.service_name,
            connect=lambda: chassis.connect("commands"),
            methods=self._methods,
            known_errors=KNOWN_ERRORS,
            start=self._carry_out,
        )
        self.container.spawn_managed_thread(self._consumer.run, identifier="commands")

    def stop(self) -> None:
        if self._consumer:
            self._consumer.stop()

    @property
    def is_connected(self) -> bool:
        return self._consumer is not None and self._consumer.is_connected

    def _carry_out(self, command: Command, done: Callable[[Result], object]) -> None:
        def handle_result(context: Any, value: Any, exc_info: Any) -> tuple[Any, Any]:
            error = _error_for_caller(command, exc_info[1]) if exc_info else None
            done(Result(command, value, error))
            return value, exc_info

        try:
            method = self._methods[command.method]
            origin = Origin(command.method, command.exchange, command.token, redelivered=command.redelivered)
            self.container.spawn_worker(method, (command.fields, origin), {}, handle_result=handle_result)
        except ContainerBeingKilled:
            return  # unacknowledged, it is delivered to the next process


class CommandMethod(Entrypoint):  # type: ignore[misc]
    """A method of the service class that is called with a command's fields and its Origin; `request` is their shape."""

    commands = Commands()

    def __init__(self, request: type[Shape], **kwargs: Any) -> None:
        self.request = request
        super().__init__(**kwargs)

    def setup(self) -> None:
        self.commands.register(self)

    def stop(self) -> None:
        self.commands.stop()


def _error_for_caller(command: Command, error: Exception) -> Exception:
    """The error that the caller gets. An unexpected one is logged too."""
    if isinstance(error, KNOWN_ERRORS):
        return error
    log.error("command_failed", command=command.method, **describe(error))
    if isinstance(error, OperationalError | InterfaceError) or (
        isinstance(error, DBAPIError) and error.connection_invalidated
    ):
        return STORE_UNAVAILABLE
    return error
