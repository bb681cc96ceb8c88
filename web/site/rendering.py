"""Turns a template into a page, in the visitor's language."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from markupsafe import Markup

from contracts.typed.postcodes import NO_FIXED_ABODE
from web.shared import assets
from web.shared.assets import addresses
from web.shared.forms.definition import Answer, Answers, Kind, Question
from web.shared.forms.field_types import choices_of, pounds, written
from web.shared.languages import ENGLISH, LANGUAGES, Translator
from web.shared.rendering import SHARED, day, environment, moment
from web.shared.texts import N_
from web.site.helplines import Helpline, dialled, read_helplines
from web.site.locales import read_catalogues
from web.site.retention import read_terms
from web.site.settings import SiteSettings

FOLDER = Path(__file__).parent
STATIC = (assets.SHARED, FOLDER / "static")
UNTRANSLATED = "<!-- untranslated -->"


class Renderer:
    """Every page of the site."""

    def __init__(self, settings: SiteSettings) -> None:
        self._catalogues = read_catalogues()
        self._environment = environment(SHARED, FOLDER / "templates")
        self._environment.globals.update(
            charity=settings.charity,
            telephone=settings.telephone,
            course_price=settings.course_price,
            session_minutes=round(settings.session.total_seconds() / 60),
            warn_after_seconds=round((settings.session - settings.warn_before).total_seconds()),
            session_seconds=round(settings.session.total_seconds()),
            asset=addresses(*STATIC),
            N_=N_,
            languages=LANGUAGES,
            choices_of=choices_of,
            settings=settings,
            dialled=dialled(settings.telephone),
            kept=read_terms(settings.retention),
        )
        self._helplines = read_helplines(settings.helplines)

    def page(self, template: str, *, language: str, path: str, nonce: str, **values: Any) -> str:
        """The page as HTML. `path` is its path without the language."""
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
            moment=lambda at: moment(at, translator),
            day=lambda on: day(on, translator),
            helplines=lambda panel, route: [
                in_words(line, translator)
                for line in self._helplines
                if line.panel == panel and line.is_for(route=route, language=language)
            ],
            shown=lambda question, answers: shown(question, answers, translator),
            **values,
        )
        return html.replace(UNTRANSLATED, translator.notice())


def in_words(line: Helpline, translator: Translator) -> tuple[str | Markup, Markup]:
    """A helpline's two texts: when to call, and whom, with a number that can be tapped."""
    own = line.own_words.get(translator.language, {})
    words = own["text"] % {"number": line.number} if "text" in own else translator(line.text, number=line.number)
    return own.get("when") or translator(line.when), Markup('<a href="tel:{}">{}</a>').format(line.dialled, words)


def shown(question: Question, answers: Answers, translator: Translator) -> str:
    """An answer as text, for the page on which answers are checked; empty if it was left out."""
    answer = answers[question.id]
    if answer == NO_FIXED_ABODE and question.otherwise:
        return translator.plain(question.otherwise)
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
    if question.kind in (Kind.TELEPHONE, Kind.POSTCODE):
        return translator.plain(N_("No fixed abode")) if answer == NO_FIXED_ABODE else written(question, answer)
    if question.kind is Kind.DATE:
        return day(date.fromisoformat(answer), translator)
    if question.kind is Kind.MILES:
        return translator.plain(N_("%(number)s miles"), number=answer)
    return labels.get(answer, answer)
