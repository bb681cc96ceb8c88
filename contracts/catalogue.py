"""Every event there is, by publisher."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from contracts.event import Event
from contracts.events import accounts, billing, console, evaluation, intake, matching, notifications, web

PUBLISHERS = {
    module.__name__.rsplit(".", 1)[-1]: module
    for module in (web, intake, matching, billing, notifications, evaluation, console, accounts)
}
"""The publishers, in the order in which a referral passes them, each with the module of its events."""


def events() -> Iterator[type[Event]]:
    """Every event, by publisher and then in the order of its module."""
    for module in PUBLISHERS.values():
        for member in vars(module).values():
            if isinstance(member, type) and issubclass(member, Event) and member is not Event:
                yield member


BY_NAME: Mapping[tuple[str, str], type[Event]] = {(event.publisher, event.__name__): event for event in events()}
"""Every event by its publisher and its name."""
