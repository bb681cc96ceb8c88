"""What notifications' handlers find as `unit.dependencies`."""

from __future__ import annotations

from dataclasses import dataclass

from chassis.config import Env, InvalidSettings
from chassis.privacy.sealing import Keyring
from chassis.privacy.vault import Vault
from contracts.vocabulary import Channel
from services.notifications import settings
from services.notifications.gateways.email import Mailer, mailer_for
from services.notifications.gateways.outbound import Carrier, carrier_for
from services.notifications.gateways.samples import KNOWN, TEXTS
from services.notifications.gateways.templates import InvalidTemplates, Wording
from services.notifications.store import tables


@dataclass(frozen=True)
class Dependencies:
    """Settings, keys and the way out, made once at the start."""

    settings: settings.NotificationsSettings
    keyring: Keyring
    vault: Vault
    mailer: Mailer
    wording: Wording
    texts: Carrier | None
    letters: Carrier | None

    @property
    def by_hand(self) -> frozenset[Channel]:
        """The channels that people serve, because there is no gateway for them."""
        carriers = {Channel.TEXT: self.texts, Channel.LETTER: self.letters}
        return frozenset(channel for channel, carrier in carriers.items() if carrier is None)


def build(env: Env) -> Dependencies:
    values = settings.read(env)
    return Dependencies(
        settings=values,
        keyring=Keyring(values.keys_folder, reader="notifications"),
        vault=Vault(tables.data_keys, values.master_key),
        mailer=mailer_for(
            values.mail,
            username=values.smtp_username,
            password=values.smtp_password,
            timeout_seconds=values.smtp_timeout_seconds,
            bounces=values.bounce_address,
        ),
        wording=read_wording(values),
        texts=_carrier(values, values.texts),
        letters=_carrier(values, values.letters),
    )


def _carrier(values: settings.NotificationsSettings, gateway: settings.Gateway) -> Carrier | None:
    return carrier_for(
        gateway.url,
        authorization=gateway.authorization,
        fields=gateway.fields,
        timeout_seconds=values.gateway_timeout_seconds,
    )


def read_wording(values: settings.NotificationsSettings) -> Wording:
    """All templates, checked. Raises InvalidSettings."""
    try:
        return Wording(values.templates, KNOWN, texts=TEXTS)
    except InvalidTemplates as error:
        raise InvalidSettings(f"The templates in {values.templates} need attention:\n{error}") from None
