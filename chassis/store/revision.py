"""Whether a database is at the revision that a service needs. Runs at every start, so it doesn't import Alembic."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from sqlalchemy import inspect, text

from chassis.store.engine import open_engine


class NotMigrated(Exception):
    """The database is not at the revision that this version of the service needs."""


def package_of(service: str) -> str:
    """The package of a service, or of what front-ends share and store. Raises LookupError if there is neither."""
    for package in (f"services.{service}", f"web.shared.{service}"):
        try:
            spec = importlib.util.find_spec(package)
        except ModuleNotFoundError:  # what is deployed apart has no other's parent package either
            continue
        if spec and spec.origin:
            return package
    raise LookupError(f"there is no service {service!r}")


def versions_folder(service: str) -> Path:
    """Where a service keeps its revisions. Raises LookupError if there is no such service."""
    spec = importlib.util.find_spec(package_of(service))
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "migrations" / "versions"


def newest(service: str) -> str:
    """The last of a service's revisions, which are numbered files: `0002_story.py` is `0002`."""
    return max((path.name.split("_")[0] for path in versions_folder(service).glob("[0-9]*_*.py")), default="0000")


def current(database_url: str) -> str | None:
    """The revision that a database is at; None if it has never been migrated."""
    engine = open_engine(database_url)
    try:
        with engine.connect().execution_options(read_only=True) as connection:
            if not inspect(connection).has_table("alembic_version"):
                return None
            found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
            return found
    finally:
        engine.dispose()


def check_migrated(service: str, database_url: str) -> None:
    """Raises NotMigrated unless the database is at the service's newest revision."""
    wanted, found = newest(service), current(database_url)
    if found != wanted:
        raise NotMigrated(
            f"{service}'s database is at revision {found or 'none'} and this version needs {wanted}. "
            f"Run `leeward migrate {service}` (or `python -m chassis.store.migrate {service}`) first."
        )
