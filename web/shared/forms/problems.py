"""What is wrong in definition files, each with its place and what to do."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """Where in a file."""

    file: str
    page_id: str = ""
    question_id: str = ""

    def page(self, page_id: str) -> Place:
        return Place(self.file, page_id)

    def question(self, question_id: str) -> Place:
        return Place(self.file, self.page_id, question_id)

    def __str__(self) -> str:
        parts = [self.file]
        parts += [f"page {self.page_id}"] if self.page_id else []
        parts += [f"question {self.question_id}"] if self.question_id else []
        return ", ".join(parts)


class Problems:
    """Collects what is wrong, so that a person is told all of it at once."""

    def __init__(self) -> None:
        self._found: list[str] = []

    def add(self, place: Place, what: str) -> None:
        line = f"{place}: {what}."
        if line not in self._found:
            self._found.append(line)

    def __len__(self) -> int:
        return len(self._found)

    def __str__(self) -> str:
        return "\n".join(f"  {line}" for line in self._found)


class InvalidDefinitions(Exception):
    """Definition files need attention; the message names file, page, question and what to do for each problem."""

    def __init__(self, problems: Problems) -> None:
        super().__init__(f"Form definitions need attention:\n{problems}")
