"""What programs outside post to a service's HTTP port: bounded, each thing by itself, and no word of what is there."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest

from chassis.host.http import MOST_AT_ONCE, MOST_BYTES, Condition, application
from chassis.host.webhooks import LATER, TAKEN, NotLetIn, Post, Posted, receive
from chassis.ports import Invalid

PATH = "/receipts/texts"


@dataclass
class Inlet:
    """A service that takes words, one by one, from whoever knows the token."""

    taken: list[str] = field(default_factory=list)
    held: threading.Event | None = None
    waiting: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def read(self, dependencies: str, posted: Posted) -> list[str]:
        if posted.headers.get("authorization") != dependencies:
            raise NotLetIn
        if self.held:
            self.waiting.release()
            assert self.held.wait(30)
        if not posted.body:
            raise Invalid("nothing")
        return posted.body.decode().split()

    def take(self, word: str) -> None:
        if word == "strange":
            raise ZeroDivisionError(word)
        self.taken.append(word)

    def receive(self, path: str, posted: Posted) -> str:
        post = Post(self.read, lambda unit, word: None)
        return receive(path, post, posted, dependencies="Bearer made-up", take=self.take)


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def inlet() -> Inlet:
    return Inlet()


Send = Callable[..., int]


@pytest.fixture
def port(inlet: Inlet) -> Iterator[int]:
    """A real server for each connection at once."""
    condition = Condition()
    condition.receive = inlet.receive
    server = make_server("127.0.0.1", 0, application(condition), Server, Quiet)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def send(port: int) -> Send:
    def post(body: bytes = b"", *, token: str = "Bearer made-up", path: str = PATH, **headers: Any) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        connection.request("POST", path, body, {"Authorization": token, **headers})
        answer = connection.getresponse()
        assert answer.read() == b""
        connection.close()
        return answer.status

    return post


def test_what_is_posted_is_taken_one_by_one(inlet: Inlet, send: Send) -> None:
    assert send(b"one two") == 204
    assert inlet.taken == ["one", "two"]


def test_one_that_cannot_be_taken_stops_no_other_and_has_all_of_it_posted_again(inlet: Inlet, send: Send) -> None:
    assert send(b"one strange two") == 503
    assert inlet.taken == ["one", "two"]


def test_whoever_is_not_let_in_is_told_no_more(inlet: Inlet, send: Send) -> None:
    assert send(b"one", token="Bearer guessed") == 401
    assert inlet.taken == []


def test_what_cannot_be_read_is_refused(send: Send) -> None:
    assert send(b"") == 400


def test_more_than_a_service_takes_is_refused_unread(inlet: Inlet, port: int) -> None:
    for length, status in ((str(MOST_BYTES + 1), 413), ("9" * 5000, 413), ("-1", 411), ("²", 411), ("", 411)):
        with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
            head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n"
            connection.sendall(head.encode("latin-1"))
            assert int(connection.makefile("rb").readline().split()[1]) == status
    assert inlet.taken == []


def test_no_more_is_in_hand_at_once_than_a_service_can_bear(inlet: Inlet, send: Send) -> None:
    inlet.held = threading.Event()
    answers: list[int] = []
    threads = [threading.Thread(target=lambda: answers.append(send(b"one"))) for _ in range(MOST_AT_ONCE)]
    for thread in threads:
        thread.start()
    for _ in threads:
        assert inlet.waiting.acquire(timeout=30)
    assert send(b"one more") == 429
    inlet.held.set()
    for thread in threads:
        thread.join()
    assert (answers, len(inlet.taken)) == ([204] * MOST_AT_ONCE, MOST_AT_ONCE)


def test_before_the_service_runs_it_is_to_be_posted_later() -> None:
    assert Condition().receive(PATH, Posted({}, b"")) == LATER


def test_an_error_in_reading_has_it_posted_later() -> None:
    def read(dependencies: Any, posted: Posted) -> list[Any]:
        raise OSError("the disk is full")

    post = Post(read, lambda unit, one: None)
    assert receive(PATH, post, Posted({}, b""), dependencies=None, take=print) == LATER
    nothing = Post(lambda dependencies, posted: [], lambda unit, one: None)
    assert receive(PATH, nothing, Posted({}, b""), dependencies=None, take=print) == TAKEN
