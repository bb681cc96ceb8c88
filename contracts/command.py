"""What a command or a query is: a shape that names the permission it needs, or says to whom it is open.

::

    class TakeUp(Command, needs=Permission.ASSESS): ...
    class GetHealth(Query, open_to=[FrontEnd.ANYBODY]): ...
    class AcceptOffer(Command, needs=Permission.ANSWER_OFFERS, own="therapist_id"): ...

A service refuses whoever doesn't have the permission; see `chassis.access`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from contracts.permissions import FrontEnd, Permission
from contracts.shape import Shape


class Command(Shape):
    """Tells a service to do something. Sent again under the same command id, it answers again and does nothing."""

    needs: ClassVar[Permission | None] = None
    open_to: ClassVar[frozenset[FrontEnd]] = frozenset()
    """The front-ends that may give it without a person who signed in."""
    own: ClassVar[str | None] = None
    """The field that names a therapist: one who gives this command themselves must be that therapist."""

    def __init_subclass__(
        cls,
        *,
        needs: Permission | None = None,
        open_to: Iterable[FrontEnd] = (),
        own: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init_subclass__(**kwargs)
        cls.needs, cls.open_to, cls.own = needs, frozenset(open_to), own
        if own is not None and own not in cls.schema.fields:
            raise TypeError(f"{cls.__name__} has no field {own}")


class Query(Command):
    """Asks a service something. Sent again it is answered anew."""
