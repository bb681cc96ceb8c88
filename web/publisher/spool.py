"""A spool: messages stay on disk until the broker has confirmed them, so that none is lost while it is away.

Personal data in them is sealed already. Messages that arrive at the same time are written into one file, so that
hundreds a second share a few fsyncs; a file is named after the id of its first message.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

UNREADABLE = ".unreadable"
"""The suffix of files that could not be read. They are left for a person to look at, and don't hold up others."""


@dataclass(frozen=True)
class Spooled:
    """One message as it goes onto the bus."""

    message_id: str
    exchange: str
    routing_key: str
    headers: dict[str, Any]
    body: str


@dataclass(eq=False)
class _Batch:
    """Messages that are written into one file; `failure` is why that failed, if it did."""

    messages: list[Spooled] = field(default_factory=list)
    failure: Exception | None = None


class Spool:
    """A folder of messages. Processes may share it: if two send the same message, its receiver ignores the second."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock, self._writing = threading.Lock(), threading.Lock()
        self._gathering = _Batch()
        self._files: dict[str, Path] = {}
        """The file of each undelivered message, by message id."""

        self._undelivered: dict[Path, set[str]] = {}
        """The undelivered messages of each file; the file is deleted with the last one."""

    def put(self, message: Spooled) -> None:
        """Returns once the message is safely on disk (fsync). Raises OSError.

        While one batch is being written, further callers wait, and their messages form the next batch.
        """
        with self._lock:
            batch = self._gathering
            batch.messages.append(message)
        with self._writing:
            if batch is self._gathering:
                self._write_gathered()
        if batch.failure:
            raise batch.failure

    def remove(self, message: Spooled) -> None:
        with self._lock:
            path = self._files.pop(message.message_id, None)
            if path is None:
                return
            left = self._undelivered[path]
            left.discard(message.message_id)
            if not left:
                del self._undelivered[path]
                path.unlink(missing_ok=True)

    def waiting(self) -> Iterator[Spooled]:
        """The undelivered messages, oldest first (ids ascend). Files that can't be read are put aside."""
        for path in sorted(self._folder.glob("*.json")):
            try:
                found = [_spooled(stored) for stored in json.loads(path.read_text())]
            except FileNotFoundError:
                continue  # another process or thread has just delivered it
            except Exception:
                self._put_aside(path)  # anything may be wrong with it: not a file, or JSON nested without end
                continue
            with self._lock:
                if path not in self._undelivered and path.exists():
                    self._register(path, found)
                left = frozenset(self._undelivered.get(path, ()))
            yield from (message for message in found if message.message_id in left)

    def __contains__(self, message: Spooled) -> bool:
        with self._lock:
            path = self._files.get(message.message_id)
            return path is not None and path.exists()

    def __len__(self) -> int:
        return sum(1 for _ in self.waiting())

    @property
    def put_aside(self) -> int:
        """How many files could not be read, and wait for a person."""
        return count_put_aside(self._folder)

    @staticmethod
    def _put_aside(path: Path) -> None:
        aside = path.with_suffix(UNREADABLE)
        if aside.exists():
            aside = path.with_name(f"{path.stem}.{uuid4().hex}{UNREADABLE}")
        with suppress(OSError):  # even if this fails, other files are still read
            path.rename(aside)

    def _write_gathered(self) -> None:
        with self._lock:
            batch, self._gathering = self._gathering, _Batch()
            path = self._folder / f"{batch.messages[0].message_id}.json"
            # Before the file exists, so that its readers know which messages are undelivered.
            self._register(path, batch.messages)
        try:
            self._write(path, json.dumps([vars(message) for message in batch.messages]))
        except Exception as error:
            batch.failure = error
            for message in batch.messages:
                self.remove(message)

    def _write(self, path: Path, content: str) -> None:
        unfinished = path.with_suffix(".new")
        with unfinished.open("w") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
        self._sync_folder()

    def _register(self, path: Path, messages: list[Spooled]) -> None:
        self._files.update((message.message_id, path) for message in messages)
        self._undelivered[path] = {message.message_id for message in messages}

    def _sync_folder(self) -> None:
        descriptor = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def count_put_aside(folder: Path) -> int:
    """How many files of a spool could not be read, and wait for a person."""
    return sum(1 for _ in folder.glob(f"*{UNREADABLE}"))


def _spooled(found: Any) -> Spooled:
    """Raises TypeError or ValueError for anything that could not go onto the bus."""
    message = Spooled(**found)
    texts = (message.message_id, message.exchange, message.routing_key, message.body, *message.headers)
    if not all(isinstance(text, str) for text in texts):
        raise TypeError("not a message as it is kept here")
    if not all(isinstance(value, str | int) for value in message.headers.values()):
        raise TypeError("not a message's headers")
    json.dumps(found, ensure_ascii=False).encode()  # a lone surrogate can't be encoded
    return message
