"""The spool by itself: what lies in it, when, and who is told."""

from __future__ import annotations

import errno
import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from web.publisher.spool import Spool, Spooled


def message(number: int) -> Spooled:
    return Spooled(f"{number:04}", "web.events", "HelpRequested", {"cloudEvents_id": str(number)}, f'{{"n": {number}}}')


class HeldDisk(Spool):
    """Waits before it writes its first file until as many others as are wanted have come."""

    wanted = 0

    def _write(self, path: Path, content: str) -> None:
        while len(self._gathering.messages) < self.wanted:
            pass
        self.wanted = 0
        super()._write(path, content)


def put_at_once(spool: Spool, messages: list[Spooled]) -> list[BaseException | None]:
    with ThreadPoolExecutor(len(messages)) as pool:
        return [future.exception() for future in [pool.submit(spool.put, one) for one in messages]]


def test_what_comes_at_the_same_time_lies_in_one_file(tmp_path: Path) -> None:
    spool = HeldDisk(tmp_path)
    spool.wanted = 9
    messages = [message(number) for number in range(10)]
    assert put_at_once(spool, messages) == [None] * 10
    assert len(list(tmp_path.iterdir())) == 2
    for one in (spool, Spool(tmp_path)):
        assert sorted(one.waiting(), key=lambda one: one.message_id) == messages
        assert len(one) == 10


def test_a_file_goes_with_the_last_of_its_messages(tmp_path: Path) -> None:
    spool = HeldDisk(tmp_path)
    spool.wanted = 4
    messages = [message(number) for number in range(5)]
    put_at_once(spool, messages)
    for count, one in enumerate(messages, start=1):
        assert one in spool
        spool.remove(one)
        assert one not in spool
        assert len(spool) == 5 - count
    assert list(tmp_path.iterdir()) == []


def test_what_another_process_has_delivered_is_no_longer_here(tmp_path: Path) -> None:
    ours = Spool(tmp_path)
    ours.put(message(1))
    theirs = Spool(tmp_path)
    assert message(1) not in theirs, "before they have looked"
    (found,) = theirs.waiting()
    assert found in theirs
    theirs.remove(found)
    assert found not in ours
    assert list(ours.waiting()) == []


def test_everybody_whose_message_could_not_be_written_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "full")

    spool = HeldDisk(tmp_path)
    spool.wanted = 2
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        refused = put_at_once(spool, [message(number) for number in range(3)])
    assert [getattr(one, "errno", None) for one in refused] == [errno.ENOSPC] * 3
    assert len(spool) == 0
    spool.put(message(7))
    assert list(Spool(tmp_path).waiting()) == [message(7)]


WHOLE = {"message_id": "0000", "exchange": "web.events", "routing_key": "X", "headers": {}, "body": "{}"}
STRANGE = [
    json.dumps([{**WHOLE, **wrong}])
    for wrong in ({"message_id": 7}, {"headers": {"a": [1]}}, {"body": None}, {"body": "\ud800"})
]


@pytest.mark.parametrize(
    "content", ["", "[", '{"message_id": "0000"}', '[{"who": "knows"}]', "[1]", "[" * 100_000, *STRANGE]
)
def test_a_file_that_cannot_be_read_is_left_for_a_person_and_keeps_no_other_waiting(
    tmp_path: Path, content: str
) -> None:
    spool = Spool(tmp_path)
    spool.put(message(1))
    (tmp_path / "0000.json").write_text(content)
    assert list(spool.waiting()) == [message(1)]
    assert (tmp_path / "0000.unreadable").read_text() == content
    assert spool.put_aside == 1


def test_what_is_no_file_keeps_no_other_waiting_and_nothing_put_aside_is_lost(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    spool.put(message(1))
    (tmp_path / "0000.json").mkdir()
    assert list(spool.waiting()) == [message(1)]
    (tmp_path / "0000.json").write_text("[")
    assert list(spool.waiting()) == [message(1)]
    assert spool.put_aside == 2
    assert (tmp_path / "0000.unreadable").is_dir()
