"""The copy of one service's wrapped data keys: apart from the databases, and each one replaces the one before."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from chassis.privacy.vault import DESTROYED
from leeward.errors import Refusal


class NoKeys(Refusal):
    """There is no copy of a service's keys, or it can't be used; the message says why."""


@dataclass(frozen=True)
class Keys:
    """Data keys by subject, wrapped by the master key, each with its creation time. A destroyed key is empty."""

    service: str
    taken_at: datetime
    wrapped: Mapping[UUID, tuple[bytes, datetime]]

    def without(self, other: Keys | None) -> Keys:
        """These keys, with those that are destroyed in another copy destroyed here too."""
        gone = {id_: entry for id_, entry in (other.wrapped if other else {}).items() if entry[0] == DESTROYED}
        return Keys(self.service, self.taken_at, {**self.wrapped, **gone})


def write_keys(folder: Path, keys: Keys) -> Path:
    """Replaces the copy that was there before."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path, new = _file(folder, keys.service), folder / f"{keys.service}.keys.new"
    content = {
        "service": keys.service,
        "taken_at": keys.taken_at.isoformat(),
        "keys": {
            str(id_): [base64.b64encode(wrapped).decode(), at.isoformat()]
            for id_, (wrapped, at) in keys.wrapped.items()
        },
    }
    new.unlink(missing_ok=True)
    new.touch(mode=0o600)
    with new.open("w") as file:
        json.dump(content, file)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    return path


def read_keys(folder: Path, service: str) -> Keys:
    """Raises NoKeys."""
    path = _file(folder, service)
    try:
        content = json.loads(path.read_text())
        wrapped = {
            UUID(id_): (base64.b64decode(key), datetime.fromisoformat(at)) for id_, (key, at) in content["keys"].items()
        }
        return Keys(content["service"], datetime.fromisoformat(content["taken_at"]), wrapped)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise NoKeys(f"{path} is no copy of {service}'s keys: {error}") from None


def _file(folder: Path, service: str) -> Path:
    return folder / f"{service}.keys.json"
