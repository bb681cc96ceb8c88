"""What intake's handlers find as `unit.dependencies`."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from chassis.config import Env
from chassis.privacy.sealing import Keyring
from chassis.privacy.vault import Vault
from contracts.vocabulary import MarkKind
from services.intake import settings
from services.intake.domain import match_keys
from services.intake.domain.retention import RetentionPolicy
from services.intake.domain.suggestion import Policy
from services.intake.gateways.assessment_policy import read_policy
from services.intake.gateways.postcodes import Postcodes
from services.intake.gateways.retention_policy import read_retention_policy
from services.intake.store import tables


@dataclass(frozen=True)
class Dependencies:
    """Settings, keys and gateways, made once at the start."""

    settings: settings.IntakeSettings
    keyring: Keyring
    vault: Vault
    postcodes: Postcodes
    policy: Policy
    retention: RetentionPolicy
    passphrase_key: bytes
    match_hmac_keys: Mapping[MarkKind, bytes]


def build(env: Env) -> Dependencies:
    values = settings.read(env)
    return Dependencies(
        settings=values,
        keyring=Keyring(values.keys_folder, reader="intake"),
        vault=Vault(tables.data_keys, values.master_key),
        postcodes=Postcodes(),
        policy=read_policy(values.assessment_policy),
        retention=read_retention_policy(values.retention_policy),
        match_hmac_keys=match_keys.hmac_keys_of(base64.b64decode(values.master_key)),
        passphrase_key=hashlib.sha256(b"passphrase" + values.master_key.encode()).digest(),
    )
