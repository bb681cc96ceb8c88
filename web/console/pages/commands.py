"""Commands that people give by a form of their own, all shown and sent in the same way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from starlette.responses import Response
from wtforms import HiddenField

from chassis.rpc import CommandFailed
from contracts.command import Command
from contracts.permissions import Permission
from web.console.pages import words
from web.console.pages.desk import Desk
from web.shared.staff.forms import Choice, StaffForm
from web.shared.staff.visit import Visit

YES, NO = "yes", "no"


class OnceForm(StaffForm):
    """`command_id` makes it count once, however often it is sent."""

    command_id = HiddenField()


def choice(kind: type[StrEnum], label: str = "Why?", leave_out: frozenset[StrEnum] = frozenset(), **rest: Any) -> Any:
    """One of an enumeration's codes."""
    choices = [(code.value, words.said(code)) for code in kind if code not in leave_out]
    return Choice(label, choices=choices, **rest)


def yes_or_no(label: str, **rest: Any) -> Any:
    return Choice(label, choices=[(YES, "Yes"), (NO, "No")], **rest)


@dataclass(frozen=True)
class CommandForm:
    """A command with its form, and what a page says of it.

    `fields` makes the command's fields of what it is about and of the form, and `fill` the form's first values.
    `problems` says at which field a refusal of the service is shown, by the refusal's name. Without `once` it is given
    anew each time it is sent: what is sealed is sealed otherwise each time, so that under one identifier the second
    would be refused, and given twice it says the same.
    """

    name: str
    service: str
    method: str
    command: type[Command]
    title: str
    button: str
    says: str
    form: type[OnceForm]
    fields: Callable[[Desk, Any, Any], dict[str, Any]]
    done: str = "step"
    kind: str = ""
    once: bool = True
    fill: Callable[[Any], dict[str, Any]] = lambda _: {}
    problems: Mapping[str, str] = field(default_factory=dict)

    @property
    def permission(self) -> Permission:
        assert self.command.needs is not None
        return self.command.needs


def give(
    desk: Desk,
    visit: Visit,
    command: CommandForm,
    form: OnceForm,
    *,
    back: str,
    to: str = "",
    about: Any = None,
    hint: str = "",
) -> Response:
    """Shows the form, or gives the command and goes on. Raises CommandFailed, NoAnswer.

    `about` is what the command's fields are made of beside the form, and `hint` says that in words.
    """
    if visit.is_post and form.validate():
        try:
            send = desk.tell if command.once else desk.ask
            send(visit, command.service, command.method, **command.fields(desk, about, form))
            return visit.go_to(to or back, done=command.done)
        except CommandFailed as refused:
            if refused.name not in command.problems:
                raise
            form.refuse(form[command.problems[refused.name]], refused.message)
    return visit.page("command.html", step=command, form=form, back=back, about=hint)
