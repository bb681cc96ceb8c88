"""A person at the public site, as far as a measurement needs one: one connection, one request at a time."""

from __future__ import annotations

import http.client
import re
import time
from dataclasses import dataclass
from http.cookies import SimpleCookie
from urllib.parse import urlencode, urljoin, urlsplit

ANSWERS = {
    "confidentiality_understood": "yes",
    "consent_processing": "yes",
    "postcode": "NP20 4UR",
    "contact_way": "i_call",
    "passphrase": "harbour lantern quiet",
}
"""What must be answered; the rest is left out."""

MOST_PAGES = 60
HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)"')
NAMES = re.compile(r'name="([a-z_-]+)"')


@dataclass(frozen=True)
class Answered:
    """One request: which page, and how long its answer took, in milliseconds."""

    path: str
    milliseconds: float


class Visitor:
    """Goes through a form. Every request that it makes is noted in `answered`."""

    def __init__(self, address: str) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=30)
        self._cookies: SimpleCookie = SimpleCookie()
        self._page = ""
        self.path = ""
        self.answered: list[Answered] = []

    def begin(self) -> None:
        self._request("GET", "/")
        self._post(route="self")
        self._post()

    def go_on(self) -> None:
        """Answers the page and takes in the next."""
        names = set(NAMES.findall(self._page))
        self._post(**{name: value for name, value in ANSWERS.items() if name in names})

    def fill_in(self) -> None:
        """Goes on to the page that shows all answers, and reads it for longer than a site keeps an idle connection."""
        self.begin()
        for _ in range(MOST_PAGES):
            if self.path == "/check":
                self.close()
                return
            self.go_on()
        raise RuntimeError(f"stuck at {self.path}")

    def send(self) -> float:
        """Sends the request for help; the milliseconds until the confirmation was shown."""
        began = len(self.answered)
        self._post()
        if self.path != "/done":
            raise RuntimeError(f"sent, and came to {self.path}")
        return sum(one.milliseconds for one in self.answered[began:])

    def close(self) -> None:
        """Lets the connection go; the next request opens another."""
        self._connection.close()

    def _post(self, **fields: str) -> None:
        self._request("POST", self.path, urlencode({**dict(HIDDEN.findall(self._page)), **fields}))

    def _request(self, method: str, path: str, body: str | None = None) -> None:
        """Follows where it is sent to."""
        cookies = "; ".join(f"{name}={one.value}" for name, one in self._cookies.items())
        headers = {"Cookie": cookies, "Content-Type": "application/x-www-form-urlencoded"}
        began = time.perf_counter()
        self._connection.request(method, path, body, headers)
        answer = self._connection.getresponse()
        self._page = answer.read().decode()
        self.answered.append(Answered(path, (time.perf_counter() - began) * 1000))
        self._cookies.load(answer.getheader("Set-Cookie", ""))
        self.path = path
        if answer.status == 303:
            self._request("GET", urljoin(path, answer.getheader("Location", "/")))
        elif answer.status != 200:
            raise RuntimeError(f"{path} answered {answer.status}")
