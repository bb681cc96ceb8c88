"""Requests that may be one person's same request: compared, and merged or told apart by a person."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import UUID, uuid4

from starlette.responses import Response

from chassis.rpc import CommandFailed, NoAnswer
from contracts.commands.console import ReferralFacts
from contracts.commands.duplicates import DuplicatesCount, Merge, PossibleDuplicate, TellApart
from contracts.commands.intake import (
    History,
)
from contracts.permissions import Permission
from contracts.vocabulary import ApartReason, MergeReason, ReferralId
from web.console.pages.commands import CommandForm, OnceForm, choice, give
from web.console.pages.desk import Desk, Known, names
from web.console.pages.referral import MINUTES, ask_reason, closing, reason_given, reveal
from web.console.pages.step_forms import NoteForm
from web.console.pages.steps import take
from web.shared.staff.visit import Visit

SHOWN = 100
PAIRS = "/duplicates"


class MergeForm(NoteForm):
    reason = choice(MergeReason)


class ApartForm(OnceForm):
    reason = choice(ApartReason)


def _merged(into: ReferralId, desk: Desk, facts: ReferralFacts, form: Any) -> dict[str, Any]:
    return {
        "referral_id": facts.referral_id,
        "into_referral_id": into,
        "seen": int(form.seen.data),
        "reason": form.reason.data,
        "note": desk.seal_note((form.note.data or "").strip()),
    }


def _apart(desk: Desk, visit: Visit, form: Any) -> dict[str, Any]:
    first, other = _pair_of(visit)
    return {"referral_id": first, "other_referral_id": other, "reason": form.reason.data}


def _merge_step(into: Known) -> CommandForm:
    return CommandForm(
        "merge", "intake", "merge", Merge, f"Merge into {into.reference}", "Merge it",
        f"This request stops, and {into.reference} goes on for both. It can be unmerged.", MergeForm,
        partial(_merged, into.referral_id), done="merged",
    )  # fmt: skip


APART = CommandForm(
    "apart", "intake", "tell_apart", TellApart, "Tell them apart", "Tell them apart",
    "They are two requests, and are never suggested to be the same again.", ApartForm, _apart, done="told_apart",
)  # fmt: skip


def count(desk: Desk, visit: Visit) -> int | None:
    """How many pairs wait for somebody to decide; None if intake doesn't say."""
    try:
        return DuplicatesCount.from_json(desk.ask(visit, "intake", "count_duplicates")).pairs
    except (CommandFailed, NoAnswer):
        return None


def of_all(desk: Desk, visit: Visit) -> Response:
    """The newest pairs that nobody has decided on yet."""
    return visit.page("duplicates.html", facts=None, pairs=_pairs(desk, visit), most=SHOWN)


def of_referral(desk: Desk, visit: Visit) -> Response:
    facts = desk.referral(visit)
    return visit.page("duplicates.html", facts=facts, pairs=_pairs(desk, visit, facts.referral_id), most=SHOWN)


def compare(desk: Desk, visit: Visit) -> Response:
    """Two referrals side by side, as far as they are known without personal data."""
    first, other = _both(desk, visit)
    ids = {first.referral_id, other.referral_id}
    pair = next(
        (one for one in _pairs(desk, visit, first.referral_id) if {one.referral_id, one.other_referral_id} == ids), None
    )
    merged = {one.referral_id: _history(desk, visit, one.referral_id).merged_into_id for one in (first, other)}
    return visit.page(
        "compare.html",
        both=(first, other),
        alike=pair.alike if pair else (),
        merged=next((one for one in (first, other) if merged[one.referral_id] in ids), None),
        names=names(visit, (first.assigned_to, other.assigned_to)),
        may_read=Permission.READ_RECORDS in visit.me.permissions,
    )


def read_both(desk: Desk, visit: Visit) -> Response:
    """What both wrote, for a reason that is on record with each. The page closes by itself."""
    both, back = _both(desk, visit), _address(visit)
    reason = reason_given(visit)
    if reason is None:
        return ask_reason(visit, about=_called(both), back=back)
    wrote = [
        (one.reference, reveal(desk, visit, "intake", "read_record", referral_id=one.referral_id, reason=reason.value))
        for one in both
    ]
    return closing(visit.page("record_both.html", back=back, wrote=wrote, minutes=MINUTES), back=back)


def merge(desk: Desk, visit: Visit) -> Response:
    """Merges the first of the address into the other."""
    _, other = _both(desk, visit)
    return take(desk, _merge_step(other), visit, back=_address(visit))


def tell_apart(desk: Desk, visit: Visit) -> Response:
    form = visit.form(ApartForm, command_id=uuid4())
    return give(desk, visit, APART, form, back=_address(visit), to=PAIRS, about=visit, hint=_called(_both(desk, visit)))


def _pairs(desk: Desk, visit: Visit, referral_id: ReferralId | None = None) -> list[PossibleDuplicate]:
    told = desk.ask(visit, "intake", "possible_duplicates", referral_id=referral_id, limit=SHOWN)
    return [PossibleDuplicate.from_json(one) for one in told]


def _history(desk: Desk, visit: Visit, referral_id: ReferralId) -> History:
    return History.from_json(desk.ask(visit, "intake", "history", referral_id=referral_id))


def _pair_of(visit: Visit) -> tuple[UUID, UUID]:
    return visit.params["referral"], visit.params["other"]


def _both(desk: Desk, visit: Visit) -> tuple[Known, Known]:
    first, other = (desk.known(visit, id_) for id_ in _pair_of(visit))
    return first, other


def _address(visit: Visit) -> str:
    return "{}/{}/{}".format(PAIRS, *_pair_of(visit))


def _called(both: tuple[Known, Known]) -> str:
    return " and ".join(one.reference for one in both)
