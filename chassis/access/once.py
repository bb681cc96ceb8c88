"""Commands that are sent again: a command's id is kept with its answer, so that it is carried out once."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from sqlalchemy import Executable, Table, bindparam, select, update

from chassis.access.actor import Actor
from chassis.access.tokens import TokenNotValid
from chassis.store.prepared import prepared
from chassis.store.unit_of_work import StoreUnit
from contracts.command import Query
from contracts.refused import Refused
from contracts.shape import Shape


class CommandIdTaken(Refused):
    """Another command has this id: somebody else's, another kind of command, or one with other arguments."""


@cache
def _find(table: Table) -> Executable:
    row = table.c
    wanted = select(row.who, row.command, row.digest, row.signed_at, row.answer)
    return prepared(wanted.where(row.command_id == bindparam("command_id")))


def answer_once(unit: StoreUnit, actor: Actor, kind: type[Shape], carry_out: Callable[[], Any]) -> Any:
    """The answer to a command: a new one, or that of before if the command was carried out already.

    A query is always answered anew. So is a message that the broker delivers again, because the service went down
    before it had answered. Raises TokenNotValid for a token that was used before otherwise, and CommandIdTaken.
    """
    if actor.command_id is None:
        return carry_out()
    table, keep = unit.tables.received_command, not issubclass(kind, Query)
    row = unit.session.execute(_find(table), {"command_id": actor.command_id}).one_or_none()
    if row is None:
        answer = carry_out()
        unit.insert(
            table,
            command_id=actor.command_id,
            who=actor.who,
            command=kind.__name__,
            digest=actor.digest,
            signed_at=actor.signed_at,
            received_at=unit.now,
            answer=answer if keep else None,
        )
        return answer
    if (row.who, row.command, row.digest) != (actor.who, kind.__name__, actor.digest):
        raise CommandIdTaken("Another command has this id. Give each command an id of its own.")
    assert actor.signed_at is not None
    is_the_same_message = actor.redelivered and actor.signed_at == row.signed_at
    if actor.signed_at <= row.signed_at and not is_the_same_message:
        raise TokenNotValid("The token was used before. Sign each sending anew.", reason="used")
    unit.session.execute(update(table).where(table.c.command_id == actor.command_id).values(signed_at=actor.signed_at))
    return row.answer if keep else carry_out()
