"""No code reaches a person without its meaning."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from enum import StrEnum

import pytest
from marshmallow import Schema

from chassis.subject_access import fact, written
from contracts.fields import Nested
from contracts.labels import WORDS
from contracts.sealed import Aspects, HelpForm
from services.billing.subject_access import AWARDS, ENDINGS
from services.evaluation.subject_access import STATES as FORMS
from services.intake.application.disclosure import REASONS
from services.intake.application.labels import ASPECTS, IN_SECTIONS_OF_THEIR_OWN, LABELS, STATES, STEPS
from services.matching.subject_access import OFFERS, SUBSIDIES
from services.matching.subject_access import STATES as SEARCHES
from services.notifications.domain.templates import TO_STAFF, Template
from services.notifications.subject_access import MESSAGES as ABOUT
from services.notifications.subject_access import RECIPIENTS
from services.notifications.subject_access import STATES as SENDINGS

OF_SERVICES = (AWARDS, ENDINGS, FORMS, STATES, STEPS, OFFERS, SUBSIDIES, SEARCHES, RECIPIENTS, SENDINGS)


@pytest.mark.parametrize("codes", WORDS, ids=lambda codes: codes.__name__)
def test_every_code_has_words(codes: type[StrEnum]) -> None:
    assert set(WORDS[codes]) == {code.value for code in codes}


@pytest.mark.parametrize("words", OF_SERVICES)
def test_every_code_of_a_services_own_has_words(words: dict[StrEnum, str]) -> None:
    assert set(words) == set(type(next(iter(words))))


def test_every_reason_that_is_told_has_words() -> None:
    assert set(REASONS.values()) <= set(WORDS)


def test_every_message_that_is_about_a_client_has_words() -> None:
    assert set(ABOUT) == set(Template) - TO_STAFF - {Template.SAFEGUARDING_ALERT}


def paths(schema: Schema, prefix: str = "") -> Iterator[str]:
    for name, field in schema.fields.items():
        if isinstance(field, Nested) and f"{prefix}{name}" not in IN_SECTIONS_OF_THEIR_OWN:
            yield from paths(field.shape.schema, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


def test_every_field_of_the_form_and_every_aspect_is_called_something() -> None:
    assert set(paths(HelpForm.schema)) - IN_SECTIONS_OF_THEIR_OWN - {"answers"} == set(LABELS)
    assert set(paths(Aspects.schema)) == set(ASPECTS)


@pytest.mark.parametrize(
    ("moment", "words"),
    [
        (datetime(2026, 11, 21, 15, 58, tzinfo=UTC), "21 November 2026, 3.58 pm"),
        (datetime(2026, 7, 1, 23, 0, tzinfo=UTC), "2 July 2026, midnight"),
        (datetime(2026, 7, 2, 11, 5, tzinfo=UTC), "2 July 2026, 12.05 pm"),
    ],
)
def test_a_moment_is_written_as_people_do_in_london(moment: datetime, words: str) -> None:
    assert written(moment) == words
    told = fact("When", moment)
    assert (told.value, told.exactly) == (words, (moment.isoformat(),))
