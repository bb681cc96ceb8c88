"""A unit of work's session: SQLAlchemy's, extended to run prepared statements and to write simple rows in bulk."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from chassis.store.fastpath import flush
from chassis.store.fastpath.bulk import Statements
from chassis.store.prepared import form_of


class UnitSession(Session):
    """A session for a single transaction."""

    def __init__(self, engine: Engine, statements: Statements) -> None:
        super().__init__(engine, expire_on_commit=False)
        self._statements = statements

    def execute(self, statement: Any, params: Any = None, **options: Any) -> Any:
        form = form_of(statement)
        if form is None or options:
            return super().execute(statement, params, **options)
        return form.run(self, params or {})

    def scalars(self, statement: Any, params: Any = None, **options: Any) -> Any:
        return self.execute(statement, params, **options).scalars()

    def flush(self, objects: Any = None) -> None:
        """Writes new and changed objects; see `chassis.store.fastpath.flush.write`."""
        if self.new or self.dirty:
            flush.write(self, self._statements)
        super().flush(objects)
