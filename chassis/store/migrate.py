"""Migrations: each service's own, run as a step of their own and never at a service's start.

`python -m chassis.store.migrate <service>` brings the database that `<SERVICE>_DATABASE_URL` names to the newest
revision. `python -m chassis.store.migrate --revise <service> "what changed"` is for a developer who has changed the
service's `store/tables.py`: it writes the next revision, to be read and kept.
"""

from __future__ import annotations

import importlib
import importlib.util
import subprocess
import sys
from pathlib import Path

from alembic import command
from alembic.config import Config

from chassis.config import InvalidSettings, check, open_env, read_chassis_settings
from chassis.store.engine import open_engine
from chassis.store.revision import newest, package_of, versions_folder


def migrate(service: str, database_url: str, *, to: str = "head") -> None:
    """Brings a service's database to its newest revision, in one transaction where the database can."""
    engine = open_engine(database_url)
    with engine.begin() as connection:
        config = _config(service)
        config.attributes["connection"] = connection
        command.upgrade(config, to)
    engine.dispose()


def revise(service: str, message: str) -> None:
    """Writes the revision that leads from the newest one to the tables of the service's `store/tables.py`."""
    config = _config(service)
    number = f"{int(newest(service)) + 1:04}"
    with open_engine("sqlite://").begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        config.attributes["metadata"] = importlib.import_module(f"{package_of(service)}.store.tables").metadata
        versions = config.get_main_option("version_locations")
        command.revision(config, message, autogenerate=True, rev_id=number, version_path=versions)
    subprocess.run([sys.executable, "-m", "ruff", "format", "--quiet", str(versions)], check=True)


def _config(service: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("version_locations", str(versions_folder(service)))
    config.set_main_option("path_separator", "newline")
    return config


def main(arguments: list[str]) -> int:
    if arguments[0] == "--revise":
        revise(*arguments[1:])
        return 0
    service = arguments[0]
    try:
        env = open_env()
        settings = read_chassis_settings(env, service)
        check(env)
        migrate(service, settings.database_url)
    except (InvalidSettings, LookupError) as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 78
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
