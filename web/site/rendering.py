"""Turns a template into a page, in the visitor's language."""

from __future__ import annotations

import hashlib
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from web.site.forms.definition import Answer, Answers, Kind, Question
from web.site.forms.kinds import choices_of, pounds
from web.site.languages import ENGLISH, LANGUAGES, Translator, read_catalogues
from web.site.settings import SiteSettings
from web.site.texts import N_

FOLDER = Path(__file__).parent
STATIC = FOLDER / "static"
UNTRANSLATED = "<!-- untranslated -->"
MONTHS = (
    N_("January"),
    N_("February"),
    N_("March"),
    N_("April"),
    N_("May"),
    N_("June"),
    N_("July"),
    N_("August"),
    N_("September"),
    N_("October"),
    N_("November"),
    N_("December"),
)


class Renderer:
    """Every page of the site."""

    def __init__(self, settings: SiteSettings) -> None:
        self._catalogues = read_catalogues()
        self._environment = Environment(
            loader=FileSystemLoader(FOLDER / "templates"),
            autoescape=select_autoescape(default=True),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._environment.globals.update(
            charity=settings.charity,
            telephone=settings.telephone,
            session_minutes=round(settings.session.total_seconds() / 60),
            warn_after_seconds=round((settings.session - settings.warn_before).total_seconds()),
            session_seconds=round(settings.session.total_seconds()),
            asset=_asset,
            N_=N_,
            languages=LANGUAGES,
            choices_of=choices_of,
        )

    def page(self, template: str, *, language: str, path: str, nonce: str, **values: Any) -> str:
        """The page as HTML. `path` is where it is, without the language."""
        translator = Translator(language, self._catalogues.get(language))
        prefix = "" if language == ENGLISH else f"/{language}"

        def url(to: str) -> str:
            return prefix + to

        html = self._environment.get_template(template).render(
            _=translator,
            plain=translator.plain,
            url=url,
            language=language,
            path=path,
            nonce=nonce,
            shown=lambda question, answers: shown(question, answers, translator),
            **values,
        )
        return html.replace(UNTRANSLATED, translator.notice())


def shown(question: Question, answers: Answers, translator: Translator) -> str:
    """An answer in words, for whoever checks it."""
    answer = answers[question.id]
    if not answer:
        return translator.plain(N_("Not answered"))
    if question.kind is Kind.PASSPHRASE:
        return translator.plain(N_("Chosen, and not shown here"))
    if question.kind is Kind.CONSENT:
        return translator.plain(N_("Yes") if answer == "yes" else N_("No"))
    return _in_words(question, answer, answers, translator)


def _in_words(question: Question, answer: Answer, answers: Answers, translator: Translator) -> str:
    labels = {choice.value: translator.plain(choice.label) for choice in choices_of(question, answers)}
    if isinstance(answer, tuple):
        return "\n".join(labels[value] for value in answer)
    if question.kind is Kind.MONEY:
        return pounds(int(answer))
    if question.kind is Kind.DATE:
        day = date.fromisoformat(answer)
        return f"{day.day} {translator.plain(MONTHS[day.month - 1])} {day.year}"
    return labels.get(answer, answer)


@cache
def _asset(name: str) -> str:
    """An asset's address, which changes with its content."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:10]
    return f"/static/{name}?v={digest}"
