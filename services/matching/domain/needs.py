"""What a client needs of a therapist, apart from location and price, and a key that equal needs have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from contracts.vocabulary import ClientGroup, Competence, Sex

UNDETERMINED = "und"
"""ISO 639's code for a language that isn't known."""


@dataclass(frozen=True, kw_only=True)
class Needs:
    """What excludes a therapist who can't do it. What a client only prefers isn't among it.

    `age_years` is None for an adult, and for a young person whose age isn't known. `sex` is that of the therapist,
    where no other will do. Therapy must be in each of `languages`; for `interpreter` another can stand in.
    """

    client_group: ClientGroup
    competence: Competence
    couple: bool
    young: bool
    age_years: int | None
    sex: Sex | None
    languages: tuple[str, ...]
    interpreter: str | None

    @property
    def key(self) -> str:
        """A text that equal needs have in common, and others don't; `of_key` reads it."""
        parts = (
            self.client_group.value,
            self.competence.value,
            "couple" if self.couple else "",
            "young" if self.young else "",
            "" if self.age_years is None else str(self.age_years),
            self.sex.value if self.sex else "",
            ",".join(sorted(self.languages)),
            self.interpreter or "",
        )
        return "|".join(parts)

    @classmethod
    def of_key(cls, key: str) -> Self:
        group, competence, couple, young, age_years, sex, languages, interpreter = key.split("|")
        return cls(
            client_group=ClientGroup(group),
            competence=Competence(competence),
            couple=bool(couple),
            young=bool(young),
            age_years=int(age_years) if age_years else None,
            sex=Sex(sex) if sex else None,
            languages=tuple(languages.split(",")) if languages else (),
            interpreter=interpreter or None,
        )
