"""The command line tool `leeward`. Exit codes: 0 well, 1 something is not as it should be, 2 wrong usage."""

from __future__ import annotations

import errno
import signal
import sys
from collections.abc import Mapping
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

from chassis.privacy.sealing import NoKey
from leeward.errors import Refusal

COMMANDS: Mapping[str, str | tuple[str, ...]] = {
    "up": "leeward.commands.up:up",
    "demo": "leeward.commands.demo:demo",
    "status": "leeward.commands.status:status",
    "topology": "leeward.commands.topology:topology",
    "dead": "leeward.commands.dead_letters:app",
    "events": "leeward.commands.events:app",
    "trace": "leeward.commands.trace:trace",
    "audit": "leeward.commands.audit:app",
    "erase": "leeward.commands.erasure:erase",
    "hold": "leeward.commands.erasure:hold_app",
    "export-subject": "leeward.commands.export_subject:export_subject",
    "requests": "leeward.commands.requests:app",
    "referral": (
        "leeward.commands.referral:app",
        "leeward.commands.duplicates:app",
        "leeward.commands.corrections:app",
    ),
    "therapist": "leeward.commands.therapist:app",
    "alerts": "leeward.commands.alerts:app",
    "evaluation": "leeward.commands.evaluation:app",
    "retention": "leeward.commands.retention:app",
    "attendance": "leeward.commands.attendance:app",
    "backup": "leeward.commands.backup:backup",
    "restore": "leeward.commands.backup:restore",
    "migrate": "leeward.commands.migrate:migrate",
    "keys": "leeward.commands.keys:app",
    "console": "leeward.commands.console:app",
    "templates": "leeward.commands.templates:app",
    "bench": "leeward.commands.bench:bench",
}
"""Where each command is: a function, a Typer application of several, or several of those that are used as one."""


class Commands(TyperGroup):
    """Loads the one command that is run: all of them together take longer to load than most take to do."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        return _load(cmd_name) if cmd_name in COMMANDS else None

    def invoke(self, ctx: Any) -> Any:
        """Says in words what the file system, or a file's content, refuses: a person can put that right."""
        try:
            return super().invoke(ctx)
        except (Refusal, NoKey) as refusal:
            typer.echo(str(refusal), err=True)
        except OSError as error:
            if error.errno == errno.EPIPE:
                raise  # whoever read this has stopped; click knows what to do
            typer.echo(f"{error.filename or 'It could not be done'}: {error.strerror or error}", err=True)
        raise typer.Exit(1)


app = typer.Typer(cls=Commands, no_args_is_help=True, add_completion=False)


@app.callback()
def leeward() -> None:
    """Runs Leeward and looks after it."""


def _load(name: str) -> Any:
    where = COMMANDS[name]
    found, *others = [_attribute(path) for path in ([where] if isinstance(where, str) else where)]
    if isinstance(found, typer.Typer):
        group = typer.main.get_group(found)
        for command_name, command in (
            pair for other in others for pair in typer.main.get_group(other).commands.items()
        ):
            group.add_command(command, command_name)
        group.name = name
        return group
    alone = typer.Typer(add_completion=False)
    alone.command(name)(found)
    return typer.main.get_command(alone)


def _attribute(path: str) -> Any:
    module, name = path.split(":")
    return getattr(import_module(module), name)


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that what was started is ended too
    app()


if __name__ == "__main__":
    main()
