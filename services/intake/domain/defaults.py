"""What is taken for granted where a form was not asked something, or a client left it out.

It decides what is done, and is never kept or told as their answer. A yes or no that is missing counts as no.
"""

from __future__ import annotations

from contracts.sealed import HelpForm, LegalSituation
from contracts.vocabulary import Kilometres, Known, Sessions, Work

MAX_DISTANCE_KM: Kilometres = 30.0
"""*policy*"""


def sessions_of(form: HelpForm) -> Sessions:
    return form.sessions or Sessions.EITHER


def distance_of(form: HelpForm) -> Kilometres:
    return MAX_DISTANCE_KM if form.max_distance_km is None else form.max_distance_km


def work_of(form: HelpForm) -> Work:
    return form.work or Work.INDIVIDUAL


def legal_situation_of(form: HelpForm) -> LegalSituation:
    return form.legal_situation or LegalSituation.NOT_SAID


def known_of(form: HelpForm) -> Known:
    return form.known_to_authorities or Known.UNSURE
