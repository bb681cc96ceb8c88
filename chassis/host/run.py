"""Runs one service: `python -m chassis.host.run <service>`.

It checks its settings, waits for its database and the broker however long that takes, declares its topology, and then
serves until SIGTERM or SIGINT. Exit codes: 0 stopped when asked, 70 died, 78 a person must change something first.
"""

from __future__ import annotations

import warnings

warnings.filterwarnings("ignore", message=r"\s*Eventlet is deprecated")

import eventlet  # noqa: E402

eventlet.monkey_patch()

import gc  # noqa: E402
import os  # noqa: E402
import signal  # noqa: E402
import sys  # noqa: E402
import threading  # noqa: E402
import time  # noqa: E402
from collections.abc import Callable  # noqa: E402
from itertools import chain, repeat  # noqa: E402
from typing import Any  # noqa: E402

import structlog  # noqa: E402
from kombu import Connection  # noqa: E402
from nameko.containers import ServiceContainer  # noqa: E402
from sqlalchemy.exc import DBAPIError  # noqa: E402

from chassis.bus.connection import LOST, UnsafeBroker, backoff_seconds, open_connection  # noqa: E402
from chassis.bus.topology import ExchangeMissing, QueueInUse, TopologyMismatch  # noqa: E402
from chassis.config import ChassisSettings, InvalidSettings, check, open_env, read_chassis_settings  # noqa: E402
from chassis.host.commands import Commands  # noqa: E402
from chassis.host.entrypoints import topology_for  # noqa: E402
from chassis.host.http import Condition, listen  # noqa: E402
from chassis.host.lane import Lane  # noqa: E402
from chassis.host.provider import DEPENDENCIES, SETTINGS, chassis_of  # noqa: E402
from chassis.host.service_loader import NoSuchService, load  # noqa: E402
from chassis.observability import metrics, traces  # noqa: E402
from chassis.observability.logs import change_level, configure, describe  # noqa: E402
from chassis.privacy.sealing import NoKey  # noqa: E402
from chassis.store.revision import NotMigrated, check_migrated  # noqa: E402

STOPPED, DIED, NEEDS_A_PERSON = 0, 70, 78
MAX_WORKERS = 40
START_RETRY_SECONDS, START_RETRIES = 0.2, 100
"""At first the broker is tried often, because on one machine it starts at the same time."""

OLD_QUEUE_SECONDS = 90
"""How long a queue of the version before may take to become empty: commands expire within a minute."""

COLLECT_AFTER = 10_000
"""The number of new objects that starts a garbage collection: more than a batch allocates. Python's default is 700."""

DRAIN_SECONDS = 20
"""How long a stop may take to finish work in progress; what is not committed by then is done again later."""

log = structlog.get_logger()


def prepare(service_class: Any) -> tuple[ChassisSettings, dict[str, Any]]:
    """Reads all settings at once. Raises InvalidSettings, or what the service's own settings raise."""
    env = open_env()
    settings = read_chassis_settings(env, service_class.name)
    try:
        dependencies = service_class.chassis.make_dependencies(env)
    except Exception:
        check(env)  # a setting that is missing is the likelier cause, and can be named
        raise
    check(env)
    config = {
        "AMQP_URI": settings.amqp_uri,
        "heartbeat": settings.heartbeat_seconds,
        "max_workers": MAX_WORKERS,
        SETTINGS: settings,
        DEPENDENCIES: dependencies,
    }
    return settings, config


def wait_for_store(service: str, database_url: str) -> None:
    """Waits until the database answers. Raises NotMigrated."""
    for delay in backoff_seconds():
        try:
            check_migrated(service, database_url)
        except DBAPIError as error:
            log.warning("store_unreachable", **describe(error))
            time.sleep(delay)
        else:
            return


def declare_topology(service_class: Any, settings: ChassisSettings) -> None:
    """Waits for the broker and for others' exchanges, and declares what the service needs. Raises TopologyMismatch."""
    log_it, began = log.warning, time.monotonic()
    for delay in chain(repeat(START_RETRY_SECONDS, START_RETRIES), backoff_seconds()):
        try:
            name = f"{service_class.name} start"
            open_connection(settings.amqp_uri, name=name, heartbeat_seconds=settings.heartbeat_seconds).end()
            with Connection(settings.amqp_uri) as connection:
                topology_for(service_class).declare(connection)
        except ExchangeMissing as missing:
            log.warning("waiting_for_exchange", exchange=str(missing))
            time.sleep(delay)
        except QueueInUse as used:
            if time.monotonic() > began + OLD_QUEUE_SECONDS:
                raise TopologyMismatch(str(used)) from None
            log.warning("waiting_for_old_queue")
            time.sleep(delay)
        except LOST as error:
            log_it("broker_unreachable", **describe(error))
            log_it = log.debug
            time.sleep(delay)
        else:
            return


def serve(container: ServiceContainer, condition: Condition) -> None:
    """Runs the container until it is asked to stop. Raises what made it die."""
    _on_stop(container.stop)
    spare_the_collector()
    container.start()
    watch(container, condition)
    log.info("ready")
    container.wait()


def spare_the_collector() -> None:
    """Takes permanent objects out of the garbage collector's sight, and makes it run less often.

    A batch allocates some thousands of objects, nearly all of which are freed by reference counting; collecting them
    took a twelfth of its CPU time.
    """
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER, 20, 50)


def watch(container: ServiceContainer, condition: Condition) -> None:
    """Connects the HTTP port's `condition` to the running service."""
    chassis = chassis_of(container)
    lanes = [entrypoint for entrypoint in container.entrypoints if isinstance(entrypoint, Lane)]
    commands = [extension for extension in container.subextensions if isinstance(extension, Commands)]

    def missing() -> list[str]:
        connected = {f"{lane.lane} lane": lane.is_connected for lane in lanes} | {"relay": chassis.relay.is_connected}
        connected["commands"] = all(extension.is_connected for extension in commands)
        return [name for name, is_there in (connected | {"store": chassis.answers()}).items() if not is_there]

    def measure() -> None:
        chassis.measure()
        for lane in lanes:
            metrics.INBOX_AGE.labels(lane.lane).set(lane.health().oldest_seconds)

    condition.watch, condition.measure, condition.alarms = missing, measure, chassis.alarms
    condition.receive = chassis.receive


def main(service: str) -> int:
    condition = Condition()
    level = os.environ.get("LEEWARD_LOG_LEVEL", "INFO")
    configure(service, level)
    signal.signal(signal.SIGUSR1, lambda *_: change_level("DEBUG"))
    signal.signal(signal.SIGUSR2, lambda *_: change_level(level))
    try:
        service_class = load(service)
        settings, config = prepare(service_class)
        traces.configure(service)
        if settings.http:
            listen(settings.http, condition)
        wait_for_store(service, settings.database_url)
        container = ServiceContainer(service_class, config)
        declare_topology(service_class, settings)
        serve(container, condition)
    except (TopologyMismatch, UnsafeBroker) as error:
        return wait_for_a_person(service, condition, error)
    except (InvalidSettings, NoSuchService, NotMigrated, NoKey, traces.UnknownExporter) as error:
        print(f"{service} can't start. {error}", file=sys.stderr)  # noqa: T201
        return NEEDS_A_PERSON
    except KeyboardInterrupt:
        return STOPPED
    except Exception as error:
        log.error("died", **describe(error))
        return DIED
    return STOPPED


def wait_for_a_person(service: str, condition: Condition, error: Exception) -> int:
    """Prints what is wrong with the broker, and stays up, not ready: restarting would not help. Returns when
    stopped."""
    print(f"{service} can't start. {error}", file=sys.stderr)  # noqa: T201
    condition.needs_a_person = str(error)
    stopped = threading.Event()
    _on_stop(stopped.set)
    stopped.wait()
    return NEEDS_A_PERSON


def _on_stop(stop: Callable[[], None]) -> None:
    def begin(*_: object) -> None:
        log.info("stopping")
        eventlet.spawn_n(stop)
        eventlet.spawn_after(DRAIN_SECONDS, os._exit, STOPPED)

    signal.signal(signal.SIGTERM, begin)
    signal.signal(signal.SIGINT, begin)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
