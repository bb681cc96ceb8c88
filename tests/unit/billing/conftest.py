from __future__ import annotations

import pytest

from tests.support.postgresql import Server
from tests.unit.billing.making import Bench

_databases = iter(range(1_000_000))


@pytest.fixture(params=["sqlite", "postgresql"])
def bench(request: pytest.FixtureRequest) -> Bench:
    """Billing on each kind of store."""
    if request.param == "sqlite":
        return Bench()
    server: Server = request.getfixturevalue("postgresql_server")
    return Bench(server.create_database(f"billing_unit_{next(_databases)}"))
