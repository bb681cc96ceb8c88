"""Forms for people with accounts, on WTForms, with our own CSRF token and our own words."""

from __future__ import annotations

import re
from typing import Any

from wtforms import Field, Form, RadioField
from wtforms.validators import ValidationError

from contracts.text import fits
from web.shared.staff.csrf import FIELD, SecretCSRF


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
