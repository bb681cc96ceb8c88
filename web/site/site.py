"""What the pages depend on, created once at the start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from chassis.clock import Clock
from chassis.privacy.sealing import Keyring
from contracts.london import day_of
from contracts.sealed import Credentials
from web.publisher.publisher import Publisher
from web.shared.forms.definition import Definition
from web.shared.forms.loader import read_definitions
from web.shared.limits import HourlyLimit
from web.site.enquiry import Enquiry
from web.site.rendering import Renderer
from web.site.sessions import Sessions
from web.site.settings import SiteSettings
from web.site.spool_flusher import SpoolFlusher
from web.site.wrong_tries import WrongTries


@dataclass(frozen=True)
class Site:
    """The running site."""

    settings: SiteSettings
    clock: Clock
    definitions: Mapping[str, Definition]
    sessions: Sessions
    publisher: Publisher
    spool_flusher: SpoolFlusher
    enquiry: Enquiry
    sends: HourlyLimit
    questions: HourlyLimit
    wrong_tries: WrongTries
    renderer: Renderer

    def start(self) -> None:
        self.spool_flusher.start()

    def next_courses(self) -> tuple[date, ...]:
        """When the next courses for families begin, as far as that is known."""
        today = day_of(self.clock.now())
        return tuple(day for day in self.settings.course_dates if day >= today)

    def stop(self) -> None:
        self.spool_flusher.stop()
        self.publisher.close()
        self.enquiry.close()


def open_site(settings: SiteSettings, clock: Clock) -> Site:
    """Creates a site. Raises InvalidDefinitions, or NoKey if the key to seal to intake is missing."""
    Keyring(settings.keys).seal("intake", Credentials(reference="-", passphrase="-"))  # noqa: S106 - nobody's
    publisher = Publisher(settings.amqp_uri, keys=settings.keys, spool=settings.spool)
    return Site(
        settings=settings,
        clock=clock,
        definitions=read_definitions(settings.own_forms),
        sessions=Sessions(clock.now, settings.session, settings.most_sessions, settings.most_sessions_per_address),
        publisher=publisher,
        spool_flusher=SpoolFlusher(publisher, settings.deliver_every),
        enquiry=Enquiry(settings.enquiry_amqp_uri, settings.keys),
        sends=HourlyLimit(settings.sends_per_hour, clock.now),
        questions=HourlyLimit(settings.questions_per_hour, clock.now),
        wrong_tries=WrongTries(clock.now),
        renderer=Renderer(settings),
    )
