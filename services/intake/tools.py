"""What intake's handlers find as `unit.tools`."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from chassis.config import Env
from chassis.sealing import Keyring
from chassis.vault import Vault
from services.intake import settings, store
from services.intake.gateways.postcodes import Postcodes


@dataclass(frozen=True)
class Tools:
    """Settings, keys and gateways, made once at the start."""

    settings: settings.IntakeSettings
    keyring: Keyring
    vault: Vault
    postcodes: Postcodes
    passphrase_key: bytes


def build(env: Env) -> Tools:
    values = settings.read(env)
    return Tools(
        settings=values,
        keyring=Keyring(values.keys_folder, reader="intake"),
        vault=Vault(store.data_keys, values.master_key),
        postcodes=Postcodes(),
        passphrase_key=hashlib.sha256(b"passphrase" + values.master_key.encode()).digest(),
    )
