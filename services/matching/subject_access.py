"""What matching holds about a person, told to them: what was sought, who was asked, and with whom they were matched.

Never to whom they are linked, nor what a therapist gave as a reason: see `docs/subject-access.md`.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from chassis.ports import UnitOfWork
from chassis.subject_access import entry, fact, pounds, section
from contracts.commands.subject import Entry, GetSubjectData, Section, Topic
from contracts.labels import LANGUAGES
from services.matching.dependencies import Dependencies
from services.matching.domain.needs import UNDETERMINED
from services.matching.domain.offer import Match, Offer, OfferState
from services.matching.domain.referral import Referral, State, SubsidyState
from services.matching.store import referrals, tables

STATES = {
    State.AWAITING_ASSESSMENT: "Waiting until somebody has read your request",
    State.AWAITING_SUBSIDY: "Waiting until it is known whether a fund can help",
    State.WAITING: "On the waiting list",
    State.OFFERED: "A therapist has been asked",
    State.MATCHED: "A therapist was found",
    State.ENDED: "Therapy has ended",
    State.STOPPED: "Nobody is sought any more",
    State.ERASED: "Erased",
}
SUBSIDIES = {
    SubsidyState.NOT_REQUESTED: "Not asked for",
    SubsidyState.UNDECIDED: "Not decided yet",
    SubsidyState.APPROVED: "A fund helps to pay",
    SubsidyState.WAITLISTED: "Waiting for money",
    SubsidyState.DECLINED: "No fund helps to pay",
}
OFFERS = {
    OfferState.OPEN: "Waiting for their answer",
    OfferState.ACCEPTED: "They said yes",
    OfferState.DECLINED: "They could not take it on",
    OfferState.EXPIRED: "They did not answer in time",
    OfferState.WITHDRAWN: "We took the question back",
}


def tell(unit: UnitOfWork[Dependencies], request: GetSubjectData) -> list[Section]:
    referral = referrals.find_referral(unit.session, request.referral_id)
    if referral is None:
        return []
    offers = select(Offer).where(tables.offers.c.referral_id == referral.id).order_by(tables.offers.c.offered_at)
    matches = select(Match).where(tables.matches.c.referral_id == referral.id).order_by(tables.matches.c.matched_at)
    return [
        section(Topic.SEARCH, [_search(referral)]),
        section(Topic.OFFERS, map(_offer, unit.session.scalars(offers))),
        section(Topic.MATCHES, map(_match, unit.session.scalars(matches))),
    ]


def _search(referral: Referral) -> Entry:
    here = referral.point
    told = entry(
        ("For", referral.client_group),
        ("Where, as the middle of your postcode’s area", here and f"{here.latitude:.3f}, {here.longitude:.3f}"),
        ("Language", _languages([] if referral.language == UNDETERMINED else [referral.language])),
        ("Sessions that we look for", referral.sessions),
        ("How far away we look, in kilometres", referral.max_distance_km),
        ("What you can pay for a session", pounds(referral.own_limit_pence)),
        ("What a fund adds to a session", pounds(referral.subsidy_pence_per_session or None)),
        ("The training a therapist needs", referral.competence),
        ("Kind of work", referral.work),
        ("Age, if you are under 18", referral.age_years),
        ("Therapist’s sex, if you wished for one", referral.therapist_sex),
        ("Only a therapist of that sex", referral.therapist_sex_only or None),
        ("Languages that sessions must be in", _languages(referral.required_languages)),
        ("Languages that you would like", _languages(referral.preferred_languages)),
        ("An interpreter for", _languages([referral.interpreter_language] if referral.interpreter_language else [])),
        ("Online sessions are possible", referral.online_allowed),
        ("Sought where you will live after prison", referral.sought_at_release or None),
        ("Step-free access needed", referral.wheelchair_access or None),
        ("Therapists asked so far", str(referral.offers_made)),
        ("On the waiting list since", referral.waiting_since),
        ("What the list waits for", referral.waiting_for),
    )
    standing = fact("How the search stands", referral.state, words=STATES)
    return Entry(facts=(standing, fact("Help with the cost", referral.subsidy, words=SUBSIDIES), *told.facts))


def _languages(codes: Sequence[str]) -> str | None:
    return ", ".join(LANGUAGES.get(code, code) for code in codes) or None


def _offer(offer: Offer) -> Entry:
    told = entry(
        ("A therapist was asked on", offer.offered_at),
        ("They had until", offer.expires_at),
        ("How far from you, in kilometres", offer.distance_km),
        ("Sessions", offer.sessions),
    )
    return Entry(facts=(*told.facts, fact("What came of it", offer.state, words=OFFERS)))


def _match(match: Match) -> Entry:
    return entry(
        ("Matched on", match.matched_at),
        ("The therapist’s number with us", str(match.therapist_id)),
        ("Ended on", match.ended_at),
        ("Why it ended", match.reason),
    )
