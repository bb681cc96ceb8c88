"""Corrects what a client needs of a therapist, or prefers, once it turns out otherwise than they wrote.

Staff may relax a preference if the client says so, and record that a prison allows sessions online. The step is on
record, the stored form is corrected, and matching is told.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from chassis.ports import UnitOfWork
from contracts.commands.intake import ChangeNeeds, Done
from contracts.sealed import HelpForm, NeedsChanged
from contracts.vocabulary import ClientGroup, Wish
from services.intake.application.conflicts import refuse_who_handles_linked
from services.intake.application.history import take_step
from services.intake.application.lookup import get_as_seen
from services.intake.application.records import decrypt_record, replace_record
from services.intake.application.search_facts import publish_search_facts
from services.intake.dependencies import Dependencies
from services.intake.domain.states import Step
from services.intake.errors import NothingToChange, NotInPrison, SaysTwoThings

FIELDS = {
    "sessions": "sessions",
    "online_allowed": "online_allowed",
    "max_distance_km": "max_distance_km",
    "therapist_sex": "therapist_sex",
    "therapist_sex_only": "therapist_sex_only",
    "therapy_language": "therapy_language",
    "therapy_language_must": "therapy_language_must",
    "interpreter_language": "interpreter_language",
    "most_per_session": "fee_ceiling_pence",
}
"""The command's name of each field, and the form's."""

NO_WISH: dict[Wish, dict[str, Any]] = {
    Wish.THERAPIST_SEX: {"therapist_sex": None, "therapist_sex_only": None},
    Wish.THERAPY_LANGUAGE: {"therapy_language": None, "therapy_language_must": None},
    Wish.INTERPRETER: {"interpreter": None, "interpreter_language": None},
    Wish.MOST_PER_SESSION: {"fee_ceiling_pence": None},
}

REMEMBERED_CHANGES = 20
"""How many changes are remembered with how they were told; each is a step on record for ever."""


def change_needs(unit: UnitOfWork[Dependencies], request: ChangeNeeds) -> Done:
    """Counts from now on: for the search, for open offers, and for the next therapist if there is one.

    Raises UnknownReferral, ChangedMeanwhile, StepNotPossible, HandlesLinkedReferral, NothingToChange, SaysTwoThings,
    NotInPrison.
    """
    referral = get_as_seen(unit, request)
    refuse_who_handles_linked(unit, referral, unit.actor.who)
    take_step(
        unit,
        referral,
        Step.CHANGE_NEEDS,
        by=unit.actor.who,
        reason=request.reason,
        note=request.note,
        changed=_named(request),
    )
    before = decrypt_record(unit, referral)
    form = _changed(before, request)
    if form == before:
        raise NothingToChange("That is what is on record already. Name what is otherwise.")
    said = NeedsChanged(changed_at=unit.now, reason=request.reason, told=request.told)
    form = replace(form, needs_changed=(*form.needs_changed, said)[-REMEMBERED_CHANGES:])
    replace_record(unit, referral, form)
    publish_search_facts(unit, referral, form)
    return Done()


def _named(request: ChangeNeeds) -> list[str]:
    """The fields that the command is about."""
    named = [name for name in FIELDS if getattr(request, name) is not None]
    return [*named, *(wish.value for wish in request.no_longer)]


def _changed(form: HelpForm, request: ChangeNeeds) -> HelpForm:
    """Raises SaysTwoThings, NotInPrison."""
    said = {field: getattr(request, name) for name, field in FIELDS.items() if getattr(request, name) is not None}
    taken_back = {field: value for wish in request.no_longer for field, value in NO_WISH[wish].items()}
    if both := said.keys() & taken_back.keys():
        raise SaysTwoThings(f"Either name {_words(both)}, or say that it is no longer wished for.")
    if request.online_allowed is not None and form.client_group is not ClientGroup.IN_PRISON:
        raise NotInPrison("The client is not in prison. Say in which way they would like to meet instead.")
    changed = replace(form, **said, **taken_back)
    for must, wish in (("therapist_sex_only", "therapist_sex"), ("therapy_language_must", "therapy_language")):
        if getattr(changed, must) and getattr(changed, wish) is None:
            raise SaysTwoThings(f"Say which {_words([wish])} it must be.")
    return changed


def _words(fields: Any) -> str:
    return " and ".join(sorted(fields)).replace("_", " ")
