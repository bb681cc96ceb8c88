"""Statements that are run for every message: compiled once for each dialect, and run on the driver, past SQLAlchemy.

A statement that is marked as `prepared` is used like any other. A unit's session returns the same result without
SQLAlchemy's execution, which takes longer for a row than either database does: on SQLite 15 instead of 60 µs for a few
columns, and 50 instead of 120 for a mapped row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, Dialect, Executable, Insert, Select, inspect
from sqlalchemy.engine.result import IteratorResult, SimpleResultMetaData
from sqlalchemy.orm import Mapper, Session, make_transient_to_detached
from sqlalchemy.orm.attributes import set_committed_value

from chassis.store.fastpath.driver import run, run_described, run_many
from chassis.store.fastpath.table_mappings import Plain, plain

StatementT = TypeVar("StatementT", bound=Executable)
Convert = Callable[[Any], Any]
Values = Mapping[str, Any]

_PREPARED = "prepared"


def prepared(statement: StatementT) -> StatementT:
    """The SELECT or INSERT, marked to be run past SQLAlchemy. Its parameters are named by `bindparam`, or by its
    columns.

    A result's columns have the names that the statement gives them; give a SQL function a label.

    Raises TypeError for a mapping that is more than a table, and for columns with defaults.
    """
    return statement.execution_options(**{_PREPARED: Prepared(statement)})


def form_of(statement: Any) -> Prepared | None:
    """A statement's prepared form; None if it has none."""
    form: Prepared | None = statement.get_execution_options().get(_PREPARED)
    return form


class _Compiled:
    """A statement as one database's driver takes it."""

    def __init__(self, statement: Any, columns: Sequence[ColumnElement[Any]], dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect)
        self.text: str = compiled.string
        self._positions: Sequence[str] | None = compiled.positiontup  # where the driver counts them
        converts = {name: _binding(bind.type, dialect) for name, bind in compiled.binds.items()}
        self._given = {name: convert for name, convert in converts.items() if compiled.binds[name].required}
        self._fixed = {
            name: convert(compiled.binds[name].value) if convert else compiled.binds[name].value
            for name, convert in converts.items()
            if name not in self._given
        }
        self._columns = columns
        self._dialect = dialect
        self._reading: list[Convert | None] | None = None

    def parameters(self, given: Values) -> Any:
        """Values as the driver takes them. Raises KeyError for one that is missing."""
        values = {name: convert(given[name]) if convert else given[name] for name, convert in self._given.items()}
        values |= self._fixed
        return values if self._positions is None else [values[name] for name in self._positions]

    def rows(self, connection: Connection, given: Values) -> list[list[Any]]:
        """The rows that the statement returns, as Python values."""
        parameters = self.parameters(given)
        if self._reading is None:
            found, types = run_described(connection, self.text, parameters)
            self._reading = self._readers(types)
        else:
            found = run(connection, self.text, parameters)
        reading = self._reading
        return [[read(value) if read else value for read, value in zip(reading, row, strict=True)] for row in found]

    def _readers(self, types: Sequence[Any]) -> list[Convert | None]:
        """The converter for each column's values, which also depends on the type that the driver returns."""
        return [
            column.type.dialect_impl(self._dialect).result_processor(self._dialect, kind)
            for column, kind in zip(self._columns, types, strict=True)
        ]


class Prepared:
    """A prepared statement, with its compiled form for each dialect."""

    def __init__(self, statement: Any) -> None:
        self._statement = statement
        options = statement.get_execution_options()
        self._refreshes = bool(options.get("populate_existing"))
        self._writes_first = bool(options.get("autoflush", True))
        if isinstance(statement, Select):
            described = statement.column_descriptions
            self._parts = [_part(column["expr"]) for column in described]
            self._metadata = SimpleResultMetaData([str(column["name"]) for column in described])
        else:
            _refuse_defaults(statement)
            self._parts = list(statement.exported_columns)
            self._metadata = SimpleResultMetaData([column.name for column in self._parts])
        self._has_entities = any(isinstance(part, _Entity) for part in self._parts)
        self._by_dialect: dict[str, _Compiled] = {}

    def run(self, session: Session, given: Values | Sequence[Values]) -> IteratorResult[Any]:
        """Runs the statement; the result is the same as SQLAlchemy's. Raises DBAPIError, and KeyError for a missing
        parameter."""
        if self._has_entities and self._writes_first and session.autoflush:
            session.flush()
        connection = session.connection()
        compiled = self._by_dialect.get(connection.dialect.name) or self._compile(connection.dialect)
        if not isinstance(given, Mapping):
            run_many(connection, compiled.text, [compiled.parameters(values) for values in given])
            return IteratorResult(self._metadata, iter(()))
        rows = compiled.rows(connection, given)
        if self._has_entities:
            rows = [self._with_entities(session, row) for row in rows]
        return IteratorResult(self._metadata, iter(rows))

    def _with_entities(self, session: Session, values: list[Any]) -> list[Any]:
        row, at = [], 0
        for part in self._parts:
            if isinstance(part, _Entity):
                width = len(part.attributes)
                row.append(part.take(session, values[at : at + width], refreshes=self._refreshes))
                at += width
            else:
                row.append(values[at])
                at += 1
        return row

    def _compile(self, dialect: Dialect) -> _Compiled:
        columns = [column for part in self._parts for column in (part.columns if isinstance(part, _Entity) else [part])]
        statement = self._statement.with_only_columns(*columns) if self._has_entities else self._statement
        self._by_dialect[dialect.name] = compiled = _Compiled(statement, columns, dialect)
        return compiled


class _Entity:
    """A mapped class among the columns that a statement returns."""

    def __init__(self, mapper: Mapper[Any], is_plain: Plain) -> None:
        self._mapper = mapper
        self.attributes = list(is_plain.columns)
        self.columns: list[ColumnElement[Any]] = [is_plain.table.c[name] for name in is_plain.columns.values()]
        self._key = [self.columns.index(column) for column in mapper.primary_key]

    def take(self, session: Session, values: Sequence[Any], *, refreshes: bool) -> Any:
        """The session's object of a row: the one it knows, or a new one. None if an outer join found no row."""
        key = tuple(values[at] for at in self._key)
        if None in key:
            return None
        known = session.identity_map.get(self._mapper.identity_key_from_primary_key(key))
        if known is None:
            known = self._mapper.class_manager.new_instance()
            vars(known).update(zip(self.attributes, values, strict=True))
            make_transient_to_detached(known)
            session.add(known)
        elif refreshes:
            for attribute, value in zip(self.attributes, values, strict=True):
                set_committed_value(known, attribute, value)
        return known


def _part(wanted: Any) -> Any:
    """A column unchanged, and an _Entity for a mapped class."""
    mapper = inspect(wanted, raiseerr=False)
    if not isinstance(mapper, Mapper):
        return wanted
    is_plain = plain(mapper)
    if is_plain is None:
        raise TypeError(f"{mapper.class_.__name__} is mapped to more than a table, which can't be prepared")
    return _Entity(mapper, is_plain)


def _refuse_defaults(statement: Insert) -> None:
    with_default = [column.name for column in statement.table.columns if column.default is not None]
    if with_default:
        raise TypeError(f"{', '.join(with_default)} have defaults of Python's, so the statement can't be prepared")


def _binding(kind: Any, dialect: Dialect) -> Convert | None:
    convert: Convert | None = kind.dialect_impl(dialect).bind_processor(dialect)
    return convert
