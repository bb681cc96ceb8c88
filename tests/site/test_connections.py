"""Connections to the site's process: who never finishes is cut off, and what isn't HTTP gets our page."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.client import HTTPConnection
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.site.running import RunningSite, running_site
from tests.site.test_answers import CARRIED
from tests.support.bus import eventually

HELD = 300
HEAD = b"POST /request HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"
SILENT = b""
UNFINISHED_HEAD = HEAD + b"X-Slow: "
UNFINISHED_BODY = HEAD + b"Content-Length: 100\r\n\r\nreference=9"
UNFINISHED_CHUNK = HEAD + b"Transfer-Encoding: chunked\r\n\r\n64\r\nreference=9"
BODY_NOBODY_WANTS = b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nx"
SECOND_HEAD = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\nGET /safe"


@pytest.fixture(scope="module")
def hasty(keys: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    """A site that gives little time, without a broker."""
    away = "amqp://guest:guest@127.0.0.1:1/"
    with running_site(
        tmp_path_factory.mktemp("hasty"), amqp_uri=away, enquiry_uri=away, keys=keys, exit_url="http://neutral.example.org/",
        SITE_REQUEST_SECONDS="2",
    ) as site:  # fmt: skip
        yield site


@pytest.fixture
def connect(hasty: RunningSite) -> Iterator[Callable[[bytes], socket.socket]]:
    """Opens a connection to it and sends this, and no more."""
    host, _, port = hasty.address.removeprefix("http://").partition(":")
    with ExitStack() as stack:

        def opened(said: bytes) -> socket.socket:
            connection = stack.enter_context(socket.create_connection((host, int(port)), timeout=30))
            connection.sendall(said)
            return connection

        yield opened


def heard(connection: socket.socket) -> bytes:
    """Everything until the site ends the connection."""
    found = b""
    try:
        while data := connection.recv(65_536):
            found += data
    except ConnectionResetError:
        pass
    return found


def is_cut(connection: socket.socket, drop: bytes = b"") -> bool:
    """Whether the site has ended it; another byte is sent to try, so that it isn't idle."""
    connection.setblocking(False)
    try:
        if drop:
            connection.send(drop)
        while connection.recv(65_536):
            pass
        return True
    except BlockingIOError:
        return False
    except OSError:
        return True


def test_300_connections_that_never_finish_are_cut_off_and_keep_no_page_from_being_shown(
    hasty: RunningSite, connect: Callable[[bytes], socket.socket]
) -> None:
    kinds = (SILENT, UNFINISHED_HEAD, UNFINISHED_BODY, UNFINISHED_CHUNK, BODY_NOBODY_WANTS, SECOND_HEAD)
    held = [connect(kinds[one % len(kinds)]) for one in range(HELD)]
    assert b"Ask for help" in urlopen(hasty.address, timeout=30).read()
    eventually(lambda: all(is_cut(one) for one in held), "all are cut off")
    assert b"Ask for help" in urlopen(hasty.address, timeout=30).read()


@pytest.mark.parametrize(
    "said", [UNFINISHED_HEAD, UNFINISHED_BODY, BODY_NOBODY_WANTS], ids=["head", "body", "body that nobody wants"]
)
def test_who_sends_a_byte_now_and_then_is_cut_off_too(said: bytes, connect: Callable[[bytes], socket.socket]) -> None:
    connection = connect(said)
    eventually(lambda: is_cut(connection, b"x"), "it is cut off")


def test_who_doesn_t_read_the_answers_is_cut_off_too(connect: Callable[[bytes], socket.socket]) -> None:
    connection = connect(b"")
    connection.setblocking(False)
    asked = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" * 1_000

    def is_reset() -> bool:
        try:
            while True:  # until its answers have filled every buffer on the way
                connection.send(asked)
        except BlockingIOError:
            return False
        except OSError:
            return True

    eventually(is_reset, "it is cut off")


def test_a_connection_that_asks_again_and_again_goes_on(hasty: RunningSite) -> None:
    connection = HTTPConnection(hasty.address.removeprefix("http://"), timeout=30)
    used = set()
    for _ in range(3):
        connection.request("GET", "/health/live")
        assert connection.getresponse().read() == b'{"live":true}'
        used.add(connection.sock)
    connection.close()
    assert len(used) == 1


@pytest.mark.parametrize(
    "said",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: " + b"x" * 70_000,
        b"GET /" + b"x" * 70_000,
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nnonsense\r\n",
        HEAD + b"Content-Length: many\r\n\r\n",
    ],
    ids=["nonsense", "no host", "two hosts", "no ascii", "long header", "long address", "bad chunk", "bad length"],
)
def test_what_can_t_be_read_as_http_gets_our_page(said: bytes, connect: Callable[[bytes], socket.socket]) -> None:
    answer = heard(connect(said))
    head, _, page = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    carried = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
    assert {name.lower(): carried[name.lower()] for name in CARRIED} == {
        name.lower(): one for name, one in CARRIED.items()
    }
    assert "default-src 'none'" in carried["content-security-policy"]
    assert "We can’t read this" in page.decode()
    assert b"evil" not in answer


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (b"GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\n", b"404"),
        (b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n", b"404"),
        (b"CONNECT evil.example:443 HTTP/1.1\r\nHost: localhost\r\n", b"404"),
        (b"GET /safety HTTP/1.0\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: upgrade\r\nUpgrade: websocket\r\n", b"200"),
        (b"get / HTTP/1.1\r\nHost: localhost\r\n", b"405"),
        (b"HEAD /nowhere HTTP/1.1\r\nHost: localhost\r\n", b"404"),
    ],
    ids=["absolute", "asterisk", "connect", "no host", "websocket", "lower case", "head"],
)
def test_odd_requests_get_our_page(said: bytes, status: bytes, connect: Callable[[bytes], socket.socket]) -> None:
    answer = heard(connect(said.replace(b"\r\n", b"\r\nConnection: close\r\n", 1) + b"\r\n")).lower()
    assert answer.startswith(b"http/1.1 " + status)
    assert b"referrer-policy: no-referrer" in answer
    assert b"content-type: text/html" in answer
    assert b"evil" not in answer
