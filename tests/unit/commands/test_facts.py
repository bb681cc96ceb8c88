"""Whatever fits an event's shape is heard, waits, or is invalid: nothing is tried again that can't go better."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from chassis.host.entrypoints import declared_by
from chassis.host.lane import Lane
from chassis.ports import Invalid, NotYet
from contracts.shape import InvalidShape
from tests.conftest import STORES
from tests.unit.commands.asking import SERVICES, Requests, Service

ROUNDS = int(os.environ.get("LEEWARD_COMMAND_ROUNDS", "12"))


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize("name", SERVICES)
def test_whatever_fits_an_event_is_heard_or_waits_or_is_invalid(
    serve: Callable[[str, str], Service], name: str, store: str
) -> None:
    service = serve(name, store)
    lanes = [one.entrypoint for one in declared_by(SERVICES[name][0]) if isinstance(one.entrypoint, Lane)]
    broken: dict[tuple[str, str], str] = {}
    for seed in range(ROUNDS):
        requests = Requests(service, seed)
        for subscription in (one for lane in lanes for one in lane.subscriptions):
            given = requests.of(subscription.event)
            try:
                event = subscription.event.from_json(given)
            except InvalidShape:
                continue
            try:
                service.bench.hear(subscription.handler, event, sequence=requests.sequence())
            except (NotYet, Invalid):
                continue
            except Exception as error:
                broken[subscription.event.__name__, type(error).__name__] = f"{error!s:.300} {given!s:.600}"
    assert not broken, "\n".join(f"{key}: {value}" for key, value in broken.items())
