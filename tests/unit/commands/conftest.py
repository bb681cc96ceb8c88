from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from chassis.ids import new_id
from chassis.privacy.sealing import make_keys
from tests.unit.commands.asking import MAKE, Service


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("command-keys")
    for reader in ("intake", "notifications", "evaluation", "matching", "billing", "console"):
        make_keys(folder, reader)
    return folder


@pytest.fixture
def serve(
    request: pytest.FixtureRequest, keys: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str, str], Service]:
    """Makes a service on a store of this kind."""

    def make(name: str, kind: str) -> Service:
        url = f"sqlite:///{tmp_path}/{name}.db"
        if kind == "postgresql":
            url = request.getfixturevalue("postgresql_server").create_database(f"asked_{new_id().hex}")
        return MAKE[name](url, keys, monkeypatch)

    return make
