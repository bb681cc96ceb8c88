"""Text messages and letters: into a folder, or over HTTP to a real server."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from chassis.ids import new_id
from leeward.runtime.free_ports import free_ports
from services.notifications.gateways.email import Rejected
from services.notifications.gateways.outbound import FIELDS, FolderProvider, HttpProvider, OutboundMessage, provider_for

FIELDS_OF_A_SUPPLIER = {
    "messages": [{"recipient": "{to}", "content": "Message: {text}", "priority": 1}],
    "client_reference": "{id}",
}


@dataclass
class Supplier:
    """What stands for a supplier's service: answers as it is told and keeps what it got."""

    answer: int = 202
    got: list[tuple[str, dict[str, str], Any]] = field(default_factory=list)
    address: str = ""
    hang_up: bool = False


@pytest.fixture
def supplier() -> Iterator[Supplier]:
    here = Supplier()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            here.got.append((self.path, dict(self.headers), json.loads(body)))
            if here.hang_up:
                self.connection.close()
                return
            self.send_response(here.answer)
            self.send_header("Location", "/elsewhere")
            self.end_headers()
            self.wfile.write(b"no such number: 07700 900123")

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    here.address = f"http://127.0.0.1:{server.server_port}/v2/send?x=1"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield here
    server.shutdown()
    thread.join()
    server.server_close()


def provider(supplier: Supplier, fields: dict[str, Any] | None = None) -> HttpProvider:
    made = provider_for(
        supplier.address, authorization="Bearer made-up", fields=fields or dict(FIELDS), timeout_seconds=5
    )
    assert isinstance(made, HttpProvider)
    return made


MESSAGE = OutboundMessage(message_id=new_id(), to="07700 900123", text='Say "{to}" and\nnaïve {id}')


def test_posts_the_fields_that_the_supplier_wants(supplier: Supplier) -> None:
    provider(supplier, FIELDS_OF_A_SUPPLIER).send(MESSAGE)
    ((path, headers, body),) = supplier.got
    assert path == "/v2/send?x=1"
    assert headers["Authorization"] == "Bearer made-up"
    assert headers["Content-Type"] == "application/json"
    assert body == {
        "messages": [{"recipient": MESSAGE.to, "content": f"Message: {MESSAGE.text}", "priority": 1}],
        "client_reference": str(MESSAGE.message_id),
    }


def test_the_same_message_again_has_the_same_key(supplier: Supplier) -> None:
    for _ in range(2):
        provider(supplier).send(MESSAGE)
    assert {headers["Idempotency-Key"] for _, headers, _ in supplier.got} == {str(MESSAGE.message_id)}


@pytest.mark.parametrize("answer", [400, 410, 413, 422])
def test_what_is_wrong_with_the_message_itself_is_not_tried_again(supplier: Supplier, answer: int) -> None:
    supplier.answer = answer
    with pytest.raises(Rejected) as raised:
        provider(supplier).send(MESSAGE)
    assert "07700" not in str(raised.value)


@pytest.mark.parametrize("answer", [301, 307, 401, 403, 404, 408, 429, 500, 503])
def test_what_may_be_put_right_is_tried_again_and_goes_nowhere_else(supplier: Supplier, answer: int) -> None:
    supplier.answer = answer
    with pytest.raises(OSError, match=str(answer)) as raised:
        provider(supplier).send(MESSAGE)
    assert "07700" not in str(raised.value)
    assert [path for path, _, _ in supplier.got] == ["/v2/send?x=1"]


def test_a_supplier_that_hangs_up_may_be_tried_again(supplier: Supplier) -> None:
    supplier.hang_up = True
    with pytest.raises(OSError):  # noqa: PT011
        provider(supplier).send(MESSAGE)


def test_a_supplier_that_is_not_there_may_be_tried_again() -> None:
    (port,) = free_ports(1)
    with pytest.raises(OSError):  # noqa: PT011
        provider(Supplier(address=f"http://127.0.0.1:{port}/")).send(MESSAGE)


def test_a_folder_holds_each_message_once_under_its_id(tmp_path: Path) -> None:
    made = provider_for(f"folder:{tmp_path}/texts", authorization=None, fields=FIELDS, timeout_seconds=5)
    assert isinstance(made, FolderProvider)
    for _ in range(2):
        made.send(MESSAGE)
    (file,) = (tmp_path / "texts").iterdir()
    assert file.name == f"{MESSAGE.message_id}.txt"
    assert file.read_text() == f"{MESSAGE.to}\n\n{MESSAGE.text}\n"
    assert file.stat().st_mode & 0o077 == 0


def test_the_office_is_no_provider() -> None:
    assert provider_for("office", authorization=None, fields=FIELDS, timeout_seconds=5) is None
