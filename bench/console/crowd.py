"""Other people's open pages: `python -m bench.console.crowd <address> <cookie> <path> <topic> [<path> <topic> …]`.

Each does what the page's script does (`web/shared/staff/static/fragments.js`): it listens to the stream of changes, and
fetches its page again when a topic of its own is named, one fetch at a time. It says `ready` once every stream is open,
and on SIGTERM how many pages were fetched.
"""

from __future__ import annotations

import http.client
import json
import signal
import sys
import threading
from types import FrameType
from urllib.parse import urlsplit

EVERYTHING, BYTES_OF_A_LINE = "everything", 65_536


class Watcher:
    """One open page, in two threads: of its stream, and of its fetches."""

    def __init__(self, address: str, cookie: str, path: str, topic: str) -> None:
        self._host, self._path, self._topic = urlsplit(address).netloc, path, topic
        self._headers = {"Cookie": cookie, "X-Fragment": "1"}
        self._wanted, self.is_open = threading.Event(), threading.Event()
        self.fetched = 0
        for work in (self._listen, self._fetch):
            threading.Thread(target=work, daemon=True).start()

    def _listen(self) -> None:
        connection = http.client.HTTPConnection(self._host, timeout=60)
        connection.request("GET", "/changes", headers=self._headers)
        stream = connection.getresponse()
        while line := stream.readline(BYTES_OF_A_LINE):
            if not line.startswith(b"data: "):
                continue
            self.is_open.set()
            topics = json.loads(line[6:])
            if self._topic in topics or EVERYTHING in topics:
                self._wanted.set()

    def _fetch(self) -> None:
        connection = http.client.HTTPConnection(self._host, timeout=60)
        while self._wanted.wait():
            self._wanted.clear()
            connection.request("GET", self._path, headers=self._headers)
            answer = connection.getresponse()
            answer.read()
            if answer.status != 200:
                raise RuntimeError(f"{self._path} answered {answer.status}")
            self.fetched += 1


def main(address: str, cookie: str, *pages: str) -> None:
    watchers = [Watcher(address, cookie, path, topic) for path, topic in zip(pages[::2], pages[1::2], strict=True)]
    over = threading.Event()

    def end(signal_: int, frame: FrameType | None) -> None:
        over.set()

    signal.signal(signal.SIGTERM, end)
    for watcher in watchers:
        watcher.is_open.wait()
    _say("ready")
    over.wait()
    _say(str(sum(watcher.fetched for watcher in watchers)))


def _say(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
