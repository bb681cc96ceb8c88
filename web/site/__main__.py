"""Runs the public site: `python -m web.site`. Exit codes: 0 stopped when asked, 78 a person must change something."""

from __future__ import annotations

import signal
import sys
from functools import partial

import uvicorn

from chassis.clock import Clock, clock_for
from chassis.config import InvalidSettings, check, open_env
from chassis.observability.logs import configure
from chassis.privacy.sealing import NoKey
from web.shared.connections import connections_of
from web.shared.forms.problems import InvalidDefinitions
from web.site.app import build_app
from web.site.pages.errors import malformed
from web.site.settings import SiteSettings, read
from web.site.site import open_site

STOPPED, NEEDS_A_PERSON = 0, 78


def prepare() -> tuple[SiteSettings, Clock]:
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
        configure("site", settings.log_level)
        site = open_site(settings, clock)
    except (InvalidSettings, InvalidDefinitions, NoKey) as error:
        print(f"The site can't start. {error}", file=sys.stderr)  # noqa: T201
        return NEEDS_A_PERSON
    uvicorn.run(
        build_app(site),
        host=settings.host or "0.0.0.0",  # noqa: S104 - whoever leaves the host out means all
        port=settings.port,
        access_log=False,  # it would hold addresses of people
        log_config=None,
        server_header=False,
        http=connections_of(settings.request_time, partial(malformed, site)),
        ws="none",  # what asks for another protocol gets the page
        proxy_headers=True,
        forwarded_allow_ips=settings.trusted_proxies,
        timeout_graceful_shutdown=20,
    )
    return STOPPED


if __name__ == "__main__":
    sys.exit(main())
