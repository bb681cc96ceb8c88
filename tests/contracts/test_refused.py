"""Under which name a caller sees a refusal."""

from __future__ import annotations

from contracts.refused import Refused


class NoRoom(Refused):
    """A refusal with subclasses that callers don't know."""


class NoRoomToday(NoRoom, name="NoRoom"):
    """Told apart within the service alone."""


class NoRoomEver(NoRoom):
    """A name of its own."""


def test_a_refusal_is_seen_under_its_own_name_or_the_one_it_is_declared_under() -> None:
    assert [kind.name for kind in (NoRoom, NoRoomToday, NoRoomEver)] == ["NoRoom", "NoRoom", "NoRoomEver"]
    assert str(NoRoomToday("Come back tomorrow.")) == "Come back tomorrow."
