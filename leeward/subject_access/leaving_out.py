"""Leaves single entries out of an export, by number and each with a legal ground that is recorded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

import typer

from contracts.commands.subject import Ground, LeftOutEntry
from contracts.vocabulary import ReferralId
from leeward.errors import Refusal
from leeward.subject_access.numbers import Numbered


class NoSuchEntry(Refusal):
    """No entry has this number, perhaps because its content has changed since the export that a person read."""


def grounds_of(numbers: Sequence[str], grounds: Sequence[Ground]) -> dict[str, Ground]:
    """The ground for each number: `grounds` has one for all, or one for each in order. Raises BadParameter."""
    if bool(numbers) != bool(grounds):
        raise typer.BadParameter("--leave-out and --ground go together: which entry, and on which ground")
    if len(set(numbers)) < len(numbers):
        raise typer.BadParameter("a number is given twice; say --leave-out once for each, with its --ground")
    each = list(grounds) * len(numbers) if len(grounds) == 1 else grounds
    if len(each) != len(numbers):
        raise typer.BadParameter("give one --ground for all, or one for each --leave-out in the same order")
    return dict(zip(numbers, each, strict=True))


def left_out(requests: Iterable[Numbered], grounds: Mapping[str, Ground]) -> tuple[LeftOutEntry, ...]:
    """What is recorded of entries left out: where each stood, and nothing of its content. Raises NoSuchEntry."""
    items = {
        item.number: (ReferralId(UUID(request.referral_id)), item) for request in requests for item in request.items
    }
    if missing := [number for number in grounds if number not in items]:
        raise NoSuchEntry(
            f"Nothing was written: there is no entry {', '.join(missing)}. A number goes when what it stands for "
            "changes: export without --leave-out into another folder, and read that."
        )
    found = ((*items[number], ground) for number, ground in grounds.items())
    return tuple(
        LeftOutEntry(referral_id=id_, service=item.service, topic=item.topic, place=item.place, ground=ground)
        for id_, item, ground in found
    )
