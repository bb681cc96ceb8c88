"""Webhooks: a request from another program is read, and each item in it handled in a unit of work of its own.

::

    chassis = Chassis(..., webhooks={"/receipts/texts": Post(read_receipts, take_receipt)})

`read` authenticates the sender. The answer is only a status, so that a sender learns nothing about what exists.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import structlog

from chassis.observability import metrics
from chassis.observability.logs import describe
from chassis.ports import Invalid, UnitOfWork

TAKEN = "204 No Content"
UNREADABLE = "400 Bad Request"
NOT_LET_IN = "401 Unauthorized"
NO_SUCH_PLACE = "404 Not Found"
LATER = "503 Service Unavailable"

log = structlog.get_logger()


class NotLetIn(Exception):
    """The sender is not authenticated."""


@dataclass(frozen=True)
class Posted:
    """A webhook's request: header names in lower case, and the body unchanged."""

    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Post:
    """A webhook. `read` gets the service's dependencies and the request, and returns the items in it.

    It raises NotLetIn, or Invalid if the request can't be read. `take` handles one item; the sender may post it again,
    so `take` must be idempotent.
    """

    read: Callable[[Any, Posted], Iterable[Any]]
    take: Callable[[UnitOfWork[Any], Any], None]


def receive(path: str, post: Post, posted: Posted, *, dependencies: Any, take: Callable[[Any], object]) -> str:
    """Handles a request and returns the HTTP status. `take` runs `post.take` on one item, in a unit of its own.

    An item that fails doesn't stop the others, but makes the sender post all of them again.
    """
    status = _received(post, posted, dependencies, take)
    metrics.POSTED.labels(path, status[:3]).inc()
    return status


def _received(post: Post, posted: Posted, dependencies: Any, take: Callable[[Any], object]) -> str:
    try:
        found = list(post.read(dependencies, posted))
    except NotLetIn:
        return NOT_LET_IN
    except Invalid:
        return UNREADABLE
    except Exception as error:
        log.error("posted_not_read", **describe(error))
        return LATER
    taken = [_is_taken(item, take) for item in found]
    return TAKEN if all(taken) else LATER


def _is_taken(item: Any, take: Callable[[Any], object]) -> bool:
    try:
        take(item)
    except Exception as error:
        log.error("posted_not_taken", **describe(error))
        return False
    return True
