"""Forms for people with accounts, on WTForms, with our own CSRF token and our own words."""

from __future__ import annotations

import re
from typing import Any

from wtforms import DateField, Field, Form, RadioField, TextAreaField
from wtforms.validators import Length, ValidationError

from contracts.fields import FIRST_DAY, LAST_DAY
from contracts.text import clean, fits
from web.shared.staff.csrf import FIELD, SecretCSRF

NO_DAY = f"Write a day of the years {FIRST_DAY.year} to {LAST_DAY.year}, like 2026-12-01."


class StaffForm(Form):
    """A form whose problems are named as the error summary wants them."""

    class Meta:
        csrf = True
        csrf_class = SecretCSRF
        csrf_field_name = FIELD
        csrf_context = ""

    @property
    def problems(self) -> dict[str, str]:
        """The first problem of each field, by its id."""
        return {field.id: str(field.errors[0]) for field in self if field.errors}

    @property
    def targets(self) -> dict[str, str]:
        """Where the error summary leads for what isn't one control: to the first of its choices."""
        radios = [field for field in self if isinstance(field, RadioField) and field.choices]
        return {field.id: f"{field.id}-{next(iter(field.iter_choices()))[0]}" for field in radios}

    def refuse(self, field: Field, why: str) -> None:
        """Adds a problem that only the rules behind the form know."""
        field.errors = [*field.errors, why]


class Said:
    """Refuses an empty field with these words."""

    field_flags = {"required": True}  # noqa: RUF012 - WTForms reads it so

    def __init__(self, words: str) -> None:
        self._words = words

    def __call__(self, form: Form, field: Field) -> None:
        if not field.data or (isinstance(field.data, str) and not field.data.strip()):
            raise ValidationError(self._words)


class Choice(RadioField):
    """One of several; what isn't among them counts as nothing chosen."""

    def pre_validate(self, form: Any) -> None:
        """Raises ValidationError."""
        if self.data not in {choice[0] for choice in self.choices or ()}:
            raise ValidationError(f"Choose one: {self.label.text}")


class OneLine:
    """Refuses what would begin a new line, or a new header of a letter, what letters can't hold (`contracts.text`),
    and what is longer than there is room for."""

    _control = re.compile(r"[\x00-\x1f\x7f\u0085\u2028\u2029]")

    def __init__(self, most: int) -> None:
        self._most = most

    def __call__(self, form: Form, field: Field) -> None:
        text: Any = field.data or ""
        if self._control.search(text) or not fits(text):
            raise ValidationError("Write it in one line.")
        if len(text) > self._most:
            raise ValidationError(f"Write at most {self._most} characters.")


def stripped(text: str | None) -> str | None:
    return text.strip() if text else text


class Paragraphs(TextAreaField):
    """Words in as many lines as they take, without what nobody sees and no letter can hold (`contracts.text`): pasted
    text brings it along."""

    def __init__(self, label: str, most: int, *validators: Any, **rest: Any) -> None:
        too_long = f"Make it shorter: at most {most:,} characters can be kept."
        super().__init__(label, [*validators, Length(max=most, message=too_long)], [_cleaned], **rest)


def _cleaned(text: str | None) -> str | None:
    return clean(text) if text else text


class CalendarDay(DateField):
    """A day, in the years that commands can carry."""

    def process_formdata(self, valuelist: Any) -> None:
        """Raises ValueError."""
        if not any(valuelist):
            return
        try:
            super().process_formdata(valuelist)
        except ValueError:
            raise ValueError(NO_DAY) from None
        if self.data and not FIRST_DAY <= self.data <= LAST_DAY:
            self.data = None
            raise ValueError(NO_DAY)
