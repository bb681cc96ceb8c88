"""Rate limits by network address, by reference and by account. Only keyed hashes of both are stored, in memory."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import secrets
import threading
from collections import deque
from collections.abc import Callable
from datetime import datetime, timedelta

HOUR = timedelta(hours=1)
MOST_REMEMBERED = 50_000
IPV6_PREFIX = 64
"""A household or a telephone can use every address with the same /64 prefix."""


def network_of(host: str) -> str:
    """What counts as one address: a whole IPv4 address, which many people may share, or the /64 of an IPv6 address."""
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv6Address):
        mapped = address.ipv4_mapped
        return str(mapped or ipaddress.ip_network((address, IPV6_PREFIX), strict=False))
    return str(address)


class Pseudonyms:
    """Replaces whoever is counted by a hash, under a random key that ends with this process."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def of(self, who: str) -> bytes:
        return hmac.digest(self._key, who.encode(errors="replace"), hashlib.sha256)


class HourlyLimit:
    """At most `most` hits an hour for each key, such as a network address or a reference."""

    def __init__(self, most: int, now: Callable[[], datetime]) -> None:
        self._most, self._now = most, now
        self._pseudonyms = Pseudonyms()
        self._lock = threading.Lock()
        # In the order of the last hits, so that whoever was counted longest ago is dropped first.
        self._times: dict[bytes, deque[datetime]] = {}

    def is_used_up(self, who: str) -> bool:
        """Whether one more hit would exceed the limit. Counts nothing."""
        with self._lock:
            times = self._times.get(self._pseudonyms.of(who), ())
            return sum(at > self._now() - HOUR for at in times) >= self._most

    def record_hit(self, who: str) -> bool:
        """Counts one hit, and returns whether it exceeds the limit."""
        name = self._pseudonyms.of(who)
        with self._lock:
            times = self._times.pop(name, None) or deque(maxlen=self._most + 1)
            since = self._now() - HOUR
            while times and times[0] <= since:
                times.popleft()
            times.append(self._now())
            self._times[name] = times
            if len(self._times) > MOST_REMEMBERED:
                del self._times[next(iter(self._times))]
            return len(times) > self._most
