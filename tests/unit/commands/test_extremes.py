"""Whatever fits a command's shape is answered or refused by name, however extreme it is."""

from __future__ import annotations

import json
import os
from collections.abc import Callable

import pytest

from chassis.ports import Refused
from contracts.shape import InvalidShape
from tests.conftest import STORES
from tests.unit.commands.asking import COMMANDS, SERVICES, Requests, Service

ROUNDS = int(os.environ.get("LEEWARD_COMMAND_ROUNDS", "8"))


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize("name", SERVICES)
def test_whatever_fits_a_command_is_answered_or_refused_by_name(
    serve: Callable[[str, str], Service], name: str, store: str
) -> None:
    service = serve(name, store)
    broken: dict[tuple[str, str], str] = {}
    for seed in range(ROUNDS):
        requests = Requests(service, seed)
        for command, shape in [(command, shape) for of, command, shape in COMMANDS if of == name]:
            given = requests.of(shape)
            for _ in range(2):  # the same again
                try:
                    json.dumps(service.ask(command, given))
                except (Refused, InvalidShape):
                    continue
                except Exception as error:
                    broken[command, type(error).__name__] = f"{error!s:.300} {given!s:.600}"
    assert not broken, "\n".join(f"{key}: {value}" for key, value in broken.items())
