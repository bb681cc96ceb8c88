"""Anchors of an audit log, in a file of JSON lines that is only ever added to: how far the log had come, and when.

Between two of them the newest is written down much more often, in a file of one line that is replaced, so that what is
kept stays small: an anchor holds everything before it.

All of them count, not only the newest: a log that was cut or rewritten is anchored again by whoever doesn't look back.
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
    """What the files of anchors say: all of them, oldest first, and the numbers of the lines that are no anchors.

    NEWEST among the numbers stands for the file of the newest one.
    """

    anchors: tuple[Anchor, ...] = ()
    unreadable: tuple[int, ...] = ()


def anchor_file(folder: Path, name: str) -> Path:
    return folder / f"{name}.jsonl"


def newest_file(folder: Path, name: str) -> Path:
    return folder / f"{name}.newest.json"


def file_of(folder: Path, name: str, line: int) -> Path:
    """Where the line of this number is; see `Anchors`."""
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
    """Writes the newest anchor down, on the disk when it returns. As for `write_anchor`, who calls it has looked."""
    path = newest_file(folder, name)
    known = _anchor(_content(path))
    if known and known.sequence >= anchor.sequence:
        return
    folder.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(f".{os.getpid()}")
    with beside.open("wb") as file:
        file.write(json.dumps(_written(anchor, at)).encode() + NEWLINE)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def write_anchor(folder: Path, name: str, anchor: Anchor, *, at: datetime) -> bool:
    """Writes an anchor down. False if the log is anchored as far as that already.

    Whoever calls it has made sure that the log contradicts none of the anchors that are there.
    """
    written = _written(anchor, at)

    def further(lines: Sequence[bytes]) -> Mapping[str, object] | None:
        reached = max((known.sequence for known in map(_anchor, lines) if known), default=0)
        return written if anchor.sequence > reached else None

    folder.mkdir(parents=True, exist_ok=True)
    return append_line(anchor_file(folder, name), further, mode=0o644)


def set_aside(folder: Path, name: str, *, beyond: int, at: datetime) -> Path | None:
    """Takes the anchors beyond a number out of what counts, for a log that a backup has taken back to there.

    Returns the file that keeps all of them as they were; None if none was beyond.
    """
    path, known, mark = anchor_file(folder, name), read_anchors(folder, name), f"{name}-{at:%Y%m%dT%H%M%SZ}"
    if all(anchor.sequence <= beyond for anchor in known.anchors):
        return None
    kept, rest, newest = anchor_file(folder, mark), anchor_file(folder, f"{name}-new"), newest_file(folder, name)
    lines = whole_lines(_content(path))
    parsed = ((line, _anchor(line)) for line in lines)
    rest.write_bytes(b"".join(line + NEWLINE for line, anchor in parsed if anchor is None or anchor.sequence <= beyond))
    kept.write_bytes(b"".join(line + NEWLINE for line in (*lines, _content(newest).strip()) if line))
    rest.replace(path)
    newest.unlink(missing_ok=True)
    return kept


def append_line(
    path: Path, compose: Callable[[Sequence[bytes]], Mapping[str, object] | None], *, mode: int = 0o600
) -> bool:
    """Adds the object that `compose` makes of the lines there are, unless it makes none, and says whether it did.

    It returns when the line is on the disk. Nobody else adds one meanwhile. What was left of a line whose writer was
    killed in the middle is dropped: nobody was told that it is there.
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
    """The lines of a file, without one at the end that was not written whole."""
    lines = content.split(NEWLINE)
    torn = lines.pop()  # nothing, if the last line has its end
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
        told = json.loads(line)
        sequence, hash_ = told["sequence"], told["hash"]
    except (ValueError, KeyError, TypeError):
        return None
    return Anchor(sequence, hash_) if type(sequence) is int and isinstance(hash_, str) else None
