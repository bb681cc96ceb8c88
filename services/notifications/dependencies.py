"""What notifications' handlers find as `unit.dependencies`."""

from __future__ import annotations

from dataclasses import dataclass

from chassis.config import Env, InvalidSettings
from chassis.privacy.sealing import Keyring
from chassis.privacy.vault import Vault
from contracts.vocabulary import Channel
from services.notifications import settings
from services.notifications.gateways.email import Mailer, mailer_for
from services.notifications.gateways.outbound import Provider, provider_for
from services.notifications.gateways.samples import KNOWN, WITHOUT_SUBJECT
from services.notifications.gateways.templates import InvalidTemplates, Templates
from services.notifications.store import tables


@dataclass(frozen=True)
class Dependencies:
    """Settings, keys and the way out, made once at the start."""

    settings: settings.NotificationsSettings
    keyring: Keyring
    vault: Vault
    mailer: Mailer
    templates: Templates
    texts: Provider | None
    letters: Provider | None

    @property
    def by_hand(self) -> frozenset[Channel]:
        """The channels that people serve, because there is no gateway for them."""
        providers = {Channel.TEXT: self.texts, Channel.LETTER: self.letters}
        return frozenset(channel for channel, provider in providers.items() if provider is None)


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
        templates=read_templates(values),
        texts=_provider(values, values.texts),
        letters=_provider(values, values.letters),
    )


def _provider(values: settings.NotificationsSettings, gateway: settings.Gateway) -> Provider | None:
    return provider_for(
        gateway.url,
        authorization=gateway.authorization,
        fields=gateway.fields,
        timeout_seconds=values.gateway_timeout_seconds,
    )


def read_templates(values: settings.NotificationsSettings) -> Templates:
    """All templates, checked. Raises InvalidSettings."""
    try:
        return Templates(values.templates, KNOWN, texts=WITHOUT_SUBJECT)
    except InvalidTemplates as error:
        raise InvalidSettings(f"The templates in {values.templates} need attention:\n{error}") from None
