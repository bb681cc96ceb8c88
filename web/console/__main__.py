"""Runs the console: `python -m web.console`. Exit codes: 0 stopped when asked, 78 a person must change something."""

from __future__ import annotations

import signal
import sys
from functools import partial
from types import FrameType

import uvicorn

from chassis.clock import Clock, clock_for
from chassis.config import InvalidSettings, check, open_env
from chassis.observability.logs import configure
from chassis.privacy.sealing import NoKey
from chassis.store.revision import NotMigrated, check_migrated
from web.console.app import build_app
from web.console.console import STORE, open_console
from web.console.first_link import offer_first_link
from web.console.live import Live
from web.console.settings import ConsoleSettings, read
from web.shared.connections import connections_of
from web.shared.forms.problems import InvalidDefinitions
from web.shared.staff.errors import malformed

STOPPED, NEEDS_A_PERSON = 0, 78


def prepare() -> tuple[ConsoleSettings, Clock]:
    """Reads all settings at once. Raises InvalidSettings."""
    env = open_env()
    try:
        settings, clock_file = read(env), env.path("LEEWARD_CLOCK_FILE", None)
    except Exception:
        check(env)  # a setting that is wrong is the likelier cause, and can be named
        raise
    check(env)
    return settings, clock_for(clock_file)


def main() -> int:
    # uvicorn shuts down by itself, and then passes the signal on.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(STOPPED))
    try:
        settings, clock = prepare()
        configure("console", settings.log_level)
        check_migrated(STORE, settings.database_url)
        console = open_console(settings, clock)
        offer_first_link(console.application.accounts, settings.first_link_file)
    except (InvalidSettings, InvalidDefinitions, NoKey, NotMigrated) as error:
        print(f"The console can't start. {error}", file=sys.stderr)  # noqa: T201
        return NEEDS_A_PERSON
    config = uvicorn.Config(
        build_app(console, settings),
        host=settings.host or "0.0.0.0",  # noqa: S104 - whoever leaves the host out means all
        port=settings.port,
        access_log=False,  # it would hold addresses of people, and secrets of links
        log_config=None,
        server_header=False,
        http=connections_of(settings.request_time, partial(malformed, console.application)),
        ws="none",
        proxy_headers=True,
        forwarded_allow_ips=settings.trusted_proxies,
        timeout_graceful_shutdown=20,
    )
    Server(config, console.live).run()
    return STOPPED


class Server(uvicorn.Server):
    """Lets open streams end when it is asked to stop; it would wait for them."""

    def __init__(self, config: uvicorn.Config, live: Live) -> None:
        super().__init__(config)
        self._live = live

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._live.end_streams()
        super().handle_exit(sig, frame)


if __name__ == "__main__":
    sys.exit(main())
