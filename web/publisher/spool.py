"""A spool: messages on disk until the broker has confirmed them, so that nothing sent is lost while it is away.

What lies in it is sealed already; a file's name is the message's id.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Spooled:
    """One message as it goes onto the bus."""

    message_id: str
    exchange: str
    routing_key: str
    headers: dict[str, Any]
    body: str


class Spool:
    """A folder of messages. Several processes may share one: a message sent twice takes effect once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def put(self, message: Spooled) -> None:
        """Returns once the message is on the disk, whatever happens to the machine then."""
        path = self._path(message.message_id)
        unfinished = path.with_suffix(".new")
        with unfinished.open("w") as file:
            file.write(json.dumps(vars(message)))
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
        self._sync_folder()

    def remove(self, message: Spooled) -> None:
        self._path(message.message_id).unlink(missing_ok=True)

    def waiting(self) -> Iterator[Spooled]:
        """The messages that are still here, oldest first (their ids ascend)."""
        for path in sorted(self._folder.glob("*.json")):
            try:
                yield Spooled(**json.loads(path.read_text()))
            except FileNotFoundError:
                continue  # another process has just delivered it

    def __contains__(self, message: Spooled) -> bool:
        return self._path(message.message_id).exists()

    def __len__(self) -> int:
        return sum(1 for _ in self._folder.glob("*.json"))

    def _path(self, message_id: str) -> Path:
        return self._folder / f"{message_id}.json"

    def _sync_folder(self) -> None:
        descriptor = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
