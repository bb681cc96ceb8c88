"""What programs outside may post to a service: read first, then taken one by one, each in a unit of work of its own.

::

    chassis = Chassis(..., webhooks={"/receipts/texts": Post(read_receipts, take_receipt)})

Who posts is for `read` to find out. Nothing is answered but whether it was taken, so nobody learns what is there.
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
    """Whoever posted this has not shown that they may."""


@dataclass(frozen=True)
class Posted:
    """What came: header names in lower case, and the body as it is."""

    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Post:
    """`read` gets the service's dependencies and what was posted, and returns what is in it.

    It raises NotLetIn, or Invalid where nothing in it can be read. `take` handles one of these; whoever posted may post
    it again, so it must be right twice.
    """

    read: Callable[[Any, Posted], Iterable[Any]]
    take: Callable[[UnitOfWork[Any], Any], None]


def receive(path: str, post: Post, posted: Posted, *, dependencies: Any, take: Callable[[Any], object]) -> str:
    """The status to answer with. `take` runs one thing through `post.take` in a unit of its own.

    What can't be taken at the moment stops none of the others, and has all of it posted again.
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
