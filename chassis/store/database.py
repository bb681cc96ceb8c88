"""A service's database: opens units of work on it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, MetaData
from sqlalchemy.orm import Session

from chassis.clock import Clock
from chassis.store.tables import chassis_tables
from chassis.store.unit import StoreUnit


class Database:
    """One service's store. A unit that ends without an error is committed; any error rolls all of it back."""

    def __init__(self, *, service: str, engine: Engine, metadata: MetaData, clock: Clock, tools: Any) -> None:
        self.service = service
        self.engine = engine
        self.clock = clock
        self.tables = chassis_tables(metadata)
        self._tools = tools

    @contextmanager
    def unit(self) -> Iterator[StoreUnit]:
        with Session(self.engine, expire_on_commit=False) as session:
            unit = StoreUnit(
                service=self.service, tools=self._tools, now=self.clock.now(), session=session, tables=self.tables
            )
            yield unit
            unit.finish()
