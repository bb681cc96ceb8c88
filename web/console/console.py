"""What the console depends on, created once at the start."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from chassis.access.tokens import Signer
from chassis.clock import Clock
from chassis.privacy.sealing import Keyring
from chassis.store.database import Database
from chassis.store.engine import open_engine
from contracts.permissions import FrontEnd, Permission, Role
from web.console.live import Live
from web.console.mailer import ConsoleMailer
from web.console.pages import words
from web.console.pages.desk import Desk
from web.console.pages.table import CHANGES
from web.console.postman import Postman
from web.console.services import Services
from web.console.settings import ConsoleSettings
from web.console.upkeep import Upkeep
from web.shared.accounts.application import sessions
from web.shared.accounts.application.cipher import Cipher
from web.shared.accounts.application.ground import Accounts
from web.shared.accounts.application.provider import Provider
from web.shared.accounts.domain.passkeys import RelyingParty
from web.shared.accounts.domain.passwords import Passwords
from web.shared.accounts.store import tables
from web.shared.forms.loader import read_definitions
from web.shared.staff.access import Door
from web.shared.staff.application import Application, Pages, Tab

NAME = "leeward-console"
STORE = "accounts"
STAFF = frozenset(Role) - {Role.THERAPIST}
HERE = Path(__file__).parent
TABS = (
    Tab("/", "What needs you now", Permission.SEE_REFERRALS),
    Tab("/therapists", "Therapists", Permission.MANAGE_THERAPISTS),
    Tab("/funds", "Funds", Permission.SEE_MONEY),
    Tab("/rota", "Rota", Permission.SEE_ROTA),
    Tab("/account", "Your account", Door.SIGNED_IN),
    Tab("/people", "People", Permission.SEE_ACCOUNTS),
    Tab("/people/confirmations", "To confirm", Door.CONFIRMS_ROLES),
    Tab("/audit", "On record", Permission.CHECK_AUDIT_LOGS),
    Tab("/before-you-open", "Before you open", Permission.CHECK_SETUP),
)
OF_ME = (Tab("/audit/mine", "What is on record of you", Permission.SEE_OWN_RECORD),)
OF_PEOPLE = (Tab("/people/work", "How the work is shared out", Permission.MOVE_WORK),)
OF_ACCOUNT = (
    Tab("/people/{account}/work", "Move their work to somebody else", Permission.MOVE_WORK),
    Tab("/audit?person={account}", "What they did and read", Permission.CHECK_AUDIT_LOGS),
    Tab("/audit?about={account}", "What was done with their account", Permission.CHECK_AUDIT_LOGS),
)


@dataclass(frozen=True)
class Console:
    """The running console, and what works in its process besides."""

    application: Application
    desk: Desk
    live: Live
    postman: Postman
    upkeep: Upkeep

    def start(self) -> None:
        self.postman.start()
        self.upkeep.start()
        self.live.start()

    def stop(self) -> None:
        self.live.stop()
        self.upkeep.stop()
        self.postman.stop()
        self.desk.services.close()


def open_accounts(settings: ConsoleSettings, clock: Clock, *, passwords: Passwords | None = None) -> Accounts:
    """The accounts alone. Raises NoKey if there is no key to seal letters with."""
    database = Database(
        service=STORE,
        engine=open_engine(settings.database_url),
        metadata=tables.metadata,
        clock=clock,
        dependencies=None,
    )
    return Accounts(
        database=database,
        tables=tables.accounts,
        passwords=passwords or Passwords(),
        cipher=Cipher(settings.master_key),
        relying_party=RelyingParty(settings.origin, settings.charity),
        roles=STAFF,
        policy=settings.policy,
        mailer=ConsoleMailer(settings.keys),
        charity=settings.charity,
        provider=_provider(settings),
    )


def open_console(settings: ConsoleSettings, clock: Clock, *, passwords: Passwords | None = None) -> Console:
    """Raises NoKey, InvalidDefinitions."""
    accounts = open_accounts(settings, clock, passwords=passwords)
    postman = Postman(accounts.database, settings.amqp_uri)
    accounts = replace(accounts, committed=postman.committed)
    upkeep = Upkeep(accounts.database, settings.anchors, partial(sessions.forget_old, accounts))
    desk = Desk(
        Services(settings.amqp_uri, Signer(settings.keys, FrontEnd.CONSOLE)),
        Keyring(settings.keys),
        read_definitions(settings.own_forms),
        anchors=settings.anchors,
        keys=settings.keys,
        site=settings.site,
    )
    return Console(
        _application(settings, clock, accounts, desk),
        desk,
        Live(settings.amqp_uri, desk.forget),
        postman,
        upkeep,
    )


def _application(settings: ConsoleSettings, clock: Clock, accounts: Accounts, desk: Desk) -> Application:
    return Application(
        name=NAME,
        title="Staff",
        accounts=accounts,
        pages=Pages(HERE / "templates", values={"charity": settings.charity, **words.NAMES}),
        clock=clock,
        secure=settings.secure,
        request_time=settings.request_time,
        tabs=TABS,
        of_me=OF_ME,
        of_people=OF_PEOPLE,
        of_account=OF_ACCOUNT,
        changes=Tab(CHANGES, "Changes", Permission.SEE_REFERRALS),
        alerts=desk.unacknowledged,
    )


def _provider(settings: ConsoleSettings) -> Provider | None:
    if settings.provider is None:
        return None
    return Provider(
        issuer=settings.provider.issuer,
        client_id=settings.provider.client_id,
        client_secret=settings.provider.client_secret,
        redirect_uri=f"{settings.origin}/sign-in/provider/back",
        roles=settings.provider.roles,
        name=settings.provider.name,
    )
