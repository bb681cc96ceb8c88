"""What matching's handlers find as `unit.dependencies`."""

from __future__ import annotations

from dataclasses import dataclass

from chassis.config import Env
from chassis.privacy.sealing import Keyring
from contracts.sealed import LinkSecret
from services.matching import settings
from services.matching.gateways.outward_codes import OutwardCodes


@dataclass(frozen=True)
class Dependencies:
    """Settings, gateways and keys, made once at the start."""

    settings: settings.MatchingSettings
    locations: OutwardCodes
    keyring: Keyring


def build(env: Env) -> Dependencies:
    """Raises NoKey where no offer could be written of."""
    values = settings.read(env)
    keyring = Keyring(values.keys_folder, reader="matching")
    keyring.seal("notifications", LinkSecret(token="-" * 22))  # says at the start if the key is missing
    return Dependencies(settings=values, locations=OutwardCodes(), keyring=keyring)
