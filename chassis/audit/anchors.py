"""Anchors of an audit log: the number and hash of its newest entry at some time, as JSON lines in an append-only file.

The newest anchor is written much more often, to a file of one line that is replaced, so that the files stay small: an
anchor vouches for all entries before it.

The log is checked against all anchors, not only the newest: a log that was cut or rewritten may have been anchored
again since.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from chassis.audit.chain import Anchor

NEWLINE = b"\n"
NEWEST = 0


@dataclass(frozen=True)
class Anchors:
    """The anchors in the files, oldest first, and the numbers of the lines that can't be read as anchors.

    The line number NEWEST stands for the file of the newest anchor.
    """

    anchors: tuple[Anchor, ...] = ()
    unreadable: tuple[int, ...] = ()


def anchor_file(folder: Path, name: str) -> Path:
    return folder / f"{name}.jsonl"


def newest_file(folder: Path, name: str) -> Path:
    return folder / f"{name}.newest.json"


def file_of(folder: Path, name: str, line: int) -> Path:
    """The file that a line number belongs to; see `Anchors`."""
    return newest_file(folder, name) if line == NEWEST else anchor_file(folder, name)


def read_anchors(folder: Path, name: str) -> Anchors:
    """Every anchor of a log; none if it was never anchored."""
    lines = list(enumerate(whole_lines(_content(anchor_file(folder, name))), start=1))
    if newest := _content(newest_file(folder, name)):
        lines.append((NEWEST, newest))
    found = [(number, _anchor(line)) for number, line in lines]
    unreadable = tuple(number for number, anchor in found if anchor is None)
    return Anchors(tuple(anchor for _, anchor in found if anchor), unreadable)


def write_newest(folder: Path, name: str, anchor: Anchor, *, at: datetime) -> None:
    """Replaces the newest anchor; it is on the disk when this returns. The caller checks first, as for
    `write_anchor`."""
    path = newest_file(folder, name)
    known = _anchor(_content(path))
    if known and known.sequence >= anchor.sequence:
        return
    folder.mkdir(parents=True, exist_ok=True)
    replacement = path.with_suffix(f".{os.getpid()}")
    with replacement.open("wb") as file:
        file.write(json.dumps(_written(anchor, at)).encode() + NEWLINE)
        file.flush()
        os.fsync(file.fileno())
    replacement.replace(path)


def write_anchor(folder: Path, name: str, anchor: Anchor, *, at: datetime) -> bool:
    """Adds an anchor. False if an anchor for this entry or a later one is there already.

    The caller must have checked that the log contradicts none of the anchors.
    """
    written = _written(anchor, at)

    def further(lines: Sequence[bytes]) -> Mapping[str, object] | None:
        reached = max((known.sequence for known in map(_anchor, lines) if known), default=0)
        return written if anchor.sequence > reached else None

    folder.mkdir(parents=True, exist_ok=True)
    return append_line(anchor_file(folder, name), further, mode=0o644)


def set_aside(folder: Path, name: str, *, beyond: int, at: datetime) -> Path | None:
    """Removes the anchors of entries after number `beyond`, for a log that was restored from a backup up to there.

    Returns the archive file, which has all anchors as they were; None if there was none to remove.
    """
    path, known, archive = anchor_file(folder, name), read_anchors(folder, name), f"{name}-{at:%Y%m%dT%H%M%SZ}"
    if all(anchor.sequence <= beyond for anchor in known.anchors):
        return None
    archived, rest, newest = anchor_file(folder, archive), anchor_file(folder, f"{name}-new"), newest_file(folder, name)
    lines = whole_lines(_content(path))
    parsed = ((line, _anchor(line)) for line in lines)
    rest.write_bytes(b"".join(line + NEWLINE for line, anchor in parsed if anchor is None or anchor.sequence <= beyond))
    archived.write_bytes(b"".join(line + NEWLINE for line in (*lines, _content(newest).strip()) if line))
    rest.replace(path)
    newest.unlink(missing_ok=True)
    return archived


def append_line(
    path: Path, compose: Callable[[Sequence[bytes]], Mapping[str, object] | None], *, mode: int = 0o600
) -> bool:
    """Appends the object that `compose` makes from the file's lines, and returns True; False if it returns None.

    The file is locked meanwhile, and the line is on the disk when this returns. An incomplete last line, whose writer
    was killed, is dropped: its write was never reported as done.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, mode)
    with os.fdopen(descriptor, "r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        content = file.read()
        lines = whole_lines(content)
        composed = compose(lines)
        if composed is None:
            return False
        whole = b"".join(line + NEWLINE for line in lines)
        lacking = whole[len(content) :]  # the end of the last line, if that is all it lacks
        file.truncate(min(len(whole), len(content)))
        file.write(lacking + json.dumps(composed).encode() + NEWLINE)
        file.flush()
        os.fsync(file.fileno())
    return True


def whole_lines(content: bytes) -> list[bytes]:
    """The lines of a file, without a last line that was not written completely."""
    lines = content.split(NEWLINE)
    torn = lines.pop()  # empty, if the last line ends with a newline
    return [*lines, torn] if torn and _is_json(torn) else lines


def _content(path: Path) -> bytes:
    return path.read_bytes() if path.exists() else b""


def _written(anchor: Anchor, at: datetime) -> Mapping[str, object]:
    return {"at": at.isoformat(), "sequence": anchor.sequence, "hash": anchor.hash}


def _is_json(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


def _anchor(line: bytes) -> Anchor | None:
    try:
        parsed = json.loads(line)
        sequence, hash_ = parsed["sequence"], parsed["hash"]
    except (ValueError, KeyError, TypeError):
        return None
    return Anchor(sequence, hash_) if type(sequence) is int and isinstance(hash_, str) else None
