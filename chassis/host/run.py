"""Runs one service: `python -m chassis.host.run <service>`.

It checks its settings and its database, waits for the broker however long that takes, declares its topology, and then
serves until SIGTERM or SIGINT. Exit codes: 0 stopped when asked, 70 died, 78 a person must change something first.
"""

from __future__ import annotations

import warnings

warnings.filterwarnings("ignore", message=r"\s*Eventlet is deprecated")

import eventlet  # noqa: E402

eventlet.monkey_patch()

import os  # noqa: E402
import signal  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402
from typing import Any  # noqa: E402

import structlog  # noqa: E402
from kombu import Connection  # noqa: E402
from nameko.containers import ServiceContainer  # noqa: E402

from chassis.bus.connection import LOST, UnsafeBroker, backoff_seconds, open_connection  # noqa: E402
from chassis.bus.returns import TROUBLE  # noqa: E402
from chassis.bus.topology import ExchangeMissing, TopologyMismatch  # noqa: E402
from chassis.config import ChassisSettings, InvalidSettings, check, open_env, read_chassis_settings  # noqa: E402
from chassis.host.load import NoSuchService, load  # noqa: E402
from chassis.host.ports import SETTINGS, TOOLS  # noqa: E402
from chassis.host.service import topology_for  # noqa: E402
from chassis.logs import configure, describe  # noqa: E402
from chassis.sealing import NoKey  # noqa: E402
from chassis.store.migrate import NotMigrated, check_migrated  # noqa: E402

STOPPED, DIED, NEEDS_A_PERSON = 0, 70, 78
MAX_WORKERS = 20
DRAIN_SECONDS = 20
"""How long a stop may take to finish what is in hand; whatever is not committed then is done again later."""

log = structlog.get_logger()


def prepare(service_class: Any) -> tuple[ChassisSettings, dict[str, Any]]:
    """Reads all settings at once and checks the database. Raises what a person must put right."""
    env = open_env()
    settings = read_chassis_settings(env, service_class.name)
    try:
        tools = service_class.ports.make_tools(env)
    except Exception:
        check(env)  # a setting that is missing is the likelier cause, and can be named
        raise
    check(env)
    check_migrated(service_class.name, settings.database_url)
    config = {
        "AMQP_URI": settings.amqp_uri,
        "heartbeat": settings.heartbeat_seconds,
        "max_workers": MAX_WORKERS,
        SETTINGS: settings,
        TOOLS: tools,
    }
    return settings, config


def declare_topology(service_class: Any, settings: ChassisSettings) -> None:
    """Waits for the broker and for others' exchanges, and declares what the service needs. Raises TopologyMismatch."""
    for delay in backoff_seconds():
        try:
            name = f"{service_class.name} start"
            open_connection(settings.amqp_uri, name=name, heartbeat_seconds=settings.heartbeat_seconds).close()
            with Connection(settings.amqp_uri) as connection:
                topology_for(service_class).declare(connection)
        except ExchangeMissing as missing:
            log.warning("waiting_for_exchange", exchange=str(missing))
            time.sleep(delay)
        except (*LOST, *TROUBLE) as error:
            log.warning("broker_unreachable", **describe(error))
            time.sleep(delay)
        else:
            return


def serve(service_class: Any, config: dict[str, Any]) -> None:
    """Runs the container until it is asked to stop. Raises what made it die."""
    container = ServiceContainer(service_class, config)

    def stop(*_: object) -> None:
        log.info("stopping")
        eventlet.spawn_n(container.stop)
        # nameko's RPC consumer can't be stopped, nor killed, while it waits for a broker that is away.
        eventlet.spawn_after(DRAIN_SECONDS, os._exit, STOPPED)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    container.start()
    log.info("ready")
    container.wait()


def main(service: str) -> int:
    configure(service, os.environ.get("LEEWARD_LOG_LEVEL", "INFO"))
    try:
        service_class = load(service)
        settings, config = prepare(service_class)
        declare_topology(service_class, settings)
        serve(service_class, config)
    except (InvalidSettings, NoSuchService, NotMigrated, NoKey, TopologyMismatch, UnsafeBroker) as error:
        print(f"{service} can't start. {error}", file=sys.stderr)  # noqa: T201
        return NEEDS_A_PERSON
    except KeyboardInterrupt:
        return STOPPED
    except Exception as error:
        log.error("died", **describe(error))
        return DIED
    return STOPPED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
