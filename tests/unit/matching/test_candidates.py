"""A person sees who comes into question and why everybody else doesn't, and may decide otherwise within limits."""

from __future__ import annotations

from random import Random
from uuid import uuid4

import pytest
from sqlalchemy import select

from contracts.commands.matching import (
    CandidatesExplained,
    ChoiceReason,
    ExplainCandidates,
    GetOutline,
    GetTherapist,
    GetWorkOfTherapist,
    ListTherapists,
    ListWaiting,
    OfferToTherapist,
    Outline,
    Relaxation,
    SuspendTherapist,
)
from contracts.events.matching import OfferWithdrawn
from contracts.vocabulary import (
    Competence,
    OfferWithdrawalReason,
    ReferralId,
    Sessions,
    SuspensionReason,
    TherapistId,
)
from services.matching.domain.explanation import Excluded, consider
from services.matching.domain.referral import Referral
from services.matching.domain.suitability import candidate
from services.matching.domain.therapist import Therapist
from services.matching.errors import CannotBeAsked, NotSearching, SomebodyElseIsAsked, UnknownTherapist
from services.matching.handlers import choosing, commands
from tests.unit.matching.conftest import CARDIFF, LONDON, NEWPORT, Matching
from tests.unit.matching.test_waiting import a_client, a_therapist


def explain(matching: Matching, referral_id: ReferralId) -> CandidatesExplained:
    answer: CandidatesExplained = matching.ask(choosing.explain_candidates, ExplainCandidates(referral_id=referral_id))
    return answer


def choose(
    matching: Matching, referral_id: ReferralId, therapist_id: TherapistId, *, instead_of: TherapistId | None = None
) -> None:
    why = ChoiceReason.CLIENT_ASKED
    request = OfferToTherapist(referral_id=referral_id, therapist_id=therapist_id, reason=why, instead_of=instead_of)
    matching.ask(choosing.offer_to_therapist, request)


def why_not(matching: Matching, referral_id: ReferralId, therapist_id: TherapistId) -> dict[str, float | None]:
    considered = explain(matching, referral_id).considered
    (one,) = (one for one in considered if one.therapist.therapist_id == therapist_id)
    return {exclusion.reason.value: exclusion.by for exclusion in one.exclusions}


def test_candidates_come_in_the_order_in_which_they_are_asked(matching: Matching) -> None:
    referral_id = matching.search_for(max_distance_km=1.0, fee_ceiling_pence=10_00)
    far, near = matching.admit(outward_code=CARDIFF), matching.admit()
    dear = matching.admit(session_fee_pence=12_00, outward_code=NEWPORT)
    cheap = matching.admit(session_fee_pence=9_00, places=0)
    found = explain(matching, referral_id)
    assert (found.candidates, found.others) == (0, 4)
    assert why_not(matching, referral_id, dear) == {"fee_too_high": 200.0}
    assert why_not(matching, referral_id, near) == {"fee_too_high": 5000.0}
    assert why_not(matching, referral_id, cheap) == {"no_room": None}
    assert set(why_not(matching, referral_id, far)) == {"fee_too_high", "too_far"}
    assert found.considered[-1].therapist.therapist_id == cheap, "nobody can decide otherwise"
    assert found.considered[-2].therapist.therapist_id == far, "more reasons exclude them"
    assert {one.relaxation: one.more for one in found.what_if}[Relaxation.DEARER] == 1


def test_a_candidate_has_a_rank_and_what_the_client_pays(matching: Matching) -> None:
    first = matching.admit()
    referral_id = matching.search_for()
    assert matching.asked(referral_id) == first
    assert why_not(matching, referral_id, first) == {"no_room": None, "asked_before": None}
    second = matching.admit(places=2)
    (best, *_) = explain(matching, referral_id).considered
    assert (best.therapist.therapist_id, best.rank, best.client_pays_pence) == (second, 1, 60_00)


def test_what_keeps_somebody_safe_no_person_puts_aside(matching: Matching) -> None:
    referral_id = matching.search_for(competence=Competence.HIGHER)
    untrained = matching.admit()
    with pytest.raises(CannotBeAsked, match="competence"):
        choose(matching, referral_id, untrained)
    suspended = matching.admit(competence=Competence.HIGHER, outward_code=LONDON)
    matching.ask(
        commands.suspend_therapist, SuspendTherapist(therapist_id=suspended, reason=SuspensionReason.INSURANCE_EXPIRED)
    )
    with pytest.raises(CannotBeAsked, match="suspended"):
        choose(matching, referral_id, suspended)


def test_a_person_has_somebody_asked_who_is_too_far(matching: Matching) -> None:
    referral_id = matching.search_for()
    far = matching.admit(outward_code=LONDON, sessions=Sessions.EITHER)
    assert set(why_not(matching, referral_id, far)) == {"too_far"}
    choose(matching, referral_id, far)
    assert matching.asked(referral_id) == far
    with pytest.raises(CannotBeAsked, match="asked before"):
        choose(matching, referral_id, far, instead_of=far)


def test_whoever_is_asked_now_makes_way_for_who_is_chosen(matching: Matching) -> None:
    first = matching.admit()
    referral_id = matching.search_for()
    assert matching.asked(referral_id) == first
    second = matching.admit()
    with pytest.raises(SomebodyElseIsAsked):
        choose(matching, referral_id, second)
    choose(matching, referral_id, second, instead_of=first)
    assert matching.asked(referral_id) == second
    (taken_back,) = matching.emitted(OfferWithdrawn)
    assert (taken_back.therapist_id, taken_back.reason) == (first, OfferWithdrawalReason.ANOTHER_CHOSEN)


def test_a_therapist_has_what_they_were_asked_and_whom_they_see(matching: Matching) -> None:
    therapist_id = matching.admit(places=2)
    seen, waits = matching.search_for(), matching.search_for()
    matching.accept(seen)
    work = matching.ask(choosing.show_work, GetWorkOfTherapist(therapist_id=therapist_id))
    assert {one.referral_id: one.state for one in work.offers} == {seen: "accepted", waits: "open"}
    assert [one.referral_id for one in work.clients] == [seen]
    (listed,) = matching.ask(choosing.list_therapists, ListTherapists())
    assert listed.clients == 1
    for other in ({"competence": Competence.HIGHER}, {"suspended": True}, {"area": "N"}, {"area": "CF"}):
        assert matching.ask(choosing.list_therapists, ListTherapists(**other)) == [], other  # type: ignore[arg-type]
    assert matching.ask(choosing.list_therapists, ListTherapists(suspended=False, area="NP")) == [listed]


def test_a_map_shows_where_people_are_without_saying_who(matching: Matching) -> None:
    matching.admit(outward_code=LONDON)
    found = explain(matching, matching.search_for())
    assert found.client_at
    (therapist,) = found.considered
    assert therapist.at
    assert 51 < therapist.at.latitude < 52
    ground = Outline.from_json(matching.ask(choosing.show_outline, GetOutline()).to_json()).positions
    assert 500 < len(set(ground)) == len(ground) < 2_500


def test_nobody_is_explained_before_the_assessment(matching: Matching) -> None:
    with pytest.raises(NotSearching):
        explain(matching, matching.receive())


def test_lists(matching: Matching) -> None:
    waiting = matching.search_for()
    ids = sorted([matching.admit(outward_code=LONDON), matching.admit(outward_code=LONDON)])
    assert [one.therapist_id for one in matching.ask(choosing.list_therapists, ListTherapists())] == ids
    (second,) = matching.ask(choosing.list_therapists, ListTherapists(after=ids[0]))
    assert second.therapist_id == ids[1]
    assert [one.referral_id for one in matching.ask(choosing.list_waiting, ListWaiting())] == [waiting]


def test_one_therapist_is_shown(matching: Matching) -> None:
    therapist_id = matching.admit(outward_code=LONDON, places=3)
    shown = matching.ask(choosing.show_therapist, GetTherapist(therapist_id=therapist_id))
    assert (shown.therapist_id, shown.outward_code, shown.places) == (therapist_id, LONDON, 3)
    with pytest.raises(UnknownTherapist):
        matching.ask(choosing.show_therapist, GetTherapist(therapist_id=TherapistId(uuid4())))


@pytest.mark.parametrize("seed", range(4))
def test_who_is_explained_to_be_a_candidate_is_one_for_the_search(matching: Matching, seed: int) -> None:
    rng = Random(seed)
    for _ in range(12):
        matching.admit(**a_therapist(rng))
    for _ in range(8):
        matching.search_for(**a_client(rng))
    with matching.database.reading() as unit:
        everybody = list(unit.session.execute(select(Therapist)).scalars())
        sought = list(unit.session.execute(select(Referral)).scalars())
        before = {everybody[0].id}
        for referral in sought:
            for one in everybody:
                explained = consider(one, referral, Excluded(asked_before=before))
                found = candidate(referral, one, excluded=before)
                assert explained.candidate == found, explained.exclusions
                assert (explained.candidate is None) == bool(explained.exclusions)
