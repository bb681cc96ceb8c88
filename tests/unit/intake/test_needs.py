"""What a client needs or prefers can be changed with their word for it, and the search goes by it."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from contracts.commands.intake import ChangeNeeds, FindPlace, Withdraw
from contracts.events.intake import ReferralAssessed, ReferralReceived, TherapyLanguage
from contracts.sealed import Custody, HelpForm, NeedsChanged, Whereabouts
from contracts.vocabulary import (
    ClientGroup,
    ConsentTold,
    NeedsChangeReason,
    ReferralId,
    Sessions,
    Sex,
    Wish,
    WithdrawalReason,
)
from services.intake import errors
from services.intake.application.records import decrypt_record
from services.intake.domain.referral import StepNotPossible
from services.intake.handlers import lifecycle, needs
from services.intake.store.referrals import get_referral
from tests.unit.intake.conftest import Intake

SAM = "console:somebody"
INSIDE = {"client_group": ClientGroup.IN_PRISON, "custody": Custody(release_on=date(2027, 3, 27))}
WISHED: dict[str, Any] = {
    "therapist_sex": Sex.FEMALE,
    "therapist_sex_only": True,
    "therapy_language": "pl",
    "therapy_language_must": True,
    "interpreter": "Romanian",
    "fee_ceiling_pence": 20_00,
}


def change(intake: Intake, referral_id: ReferralId, **changes: Any) -> None:
    said = {"reason": NeedsChangeReason.PREFERENCE_RELAXED, "told": ConsentTold.BY_TELEPHONE}
    intake.ask(needs.change_needs, ChangeNeeds(referral_id=referral_id, **(said | changes)))


def kept(intake: Intake, referral_id: ReferralId) -> HelpForm:
    return intake.read(lambda unit: decrypt_record(unit, get_referral(unit.session, referral_id)))


def test_the_search_hears_of_it_and_it_is_on_record(intake: Intake) -> None:
    referral_id, _ = intake.ask_and_assess(sessions=Sessions.IN_PERSON, **WISHED)
    change(intake, referral_id, sessions=Sessions.EITHER, max_distance_km=60.0, therapist_sex_only=False)
    received, assessed = intake.emitted(ReferralReceived)[-1], intake.emitted(ReferralAssessed)[-1]
    assert (received.sessions, received.max_distance_km) == (Sessions.EITHER, 60.0)
    assert (assessed.therapist_sex, assessed.therapist_sex_only) == (Sex.FEMALE, False)
    assert assessed.therapy_languages == (TherapyLanguage(language="pl", must=True),), "what is left out stays"
    assert assessed.competence == intake.emitted(ReferralAssessed)[0].competence
    assert intake.steps(referral_id)[-1] == ("change_needs", "assessed", SAM, "preference_relaxed")
    (said,) = kept(intake, referral_id).needs_changed
    assert said == NeedsChanged(
        changed_at=intake.clock.now(), reason=NeedsChangeReason.PREFERENCE_RELAXED, told=ConsentTold.BY_TELEPHONE
    )


def test_what_is_no_longer_wished_for_is_no_condition(intake: Intake) -> None:
    referral_id, _ = intake.ask_and_assess(**WISHED)
    change(intake, referral_id, no_longer=tuple(Wish))
    assessed = intake.emitted(ReferralAssessed)[-1]
    assert (assessed.therapist_sex, assessed.therapy_languages) == (None, ())
    assert (assessed.interpreter_language, assessed.most_per_session) == (None, None)
    assert intake.emitted(ReferralReceived)[-1].fee_ceiling_pence is None


def test_a_person_finds_out_which_language_is_interpreted(intake: Intake) -> None:
    referral_id, _ = intake.ask_and_assess(interpreter="Yes, please")
    change(intake, referral_id, interpreter_language="so")
    assert [one.interpreter_language for one in intake.emitted(ReferralAssessed)] == ["und", "so"]


@pytest.mark.parametrize("allowed", [True, False])
def test_a_person_says_whether_the_prison_allows_sessions_online(intake: Intake, allowed: bool) -> None:
    referral_id, _ = intake.ask_and_assess(**INSIDE)
    assert intake.emitted(ReferralAssessed)[-1].online_allowed is None
    change(intake, referral_id, reason=NeedsChangeReason.PRISON_ALLOWS, online_allowed=allowed)
    assert intake.emitted(ReferralAssessed)[-1].online_allowed is allowed


def test_before_the_assessment_only_the_request_is_told_anew(intake: Intake) -> None:
    referral_id, _ = intake.ask_for_help()
    change(intake, referral_id, most_per_session=45_00)
    assert intake.emitted(ReferralAssessed) == []
    assert intake.emitted(ReferralReceived)[-1].fee_ceiling_pence == 45_00
    intake.assess(referral_id)
    assert intake.emitted(ReferralAssessed)[-1].most_per_session == 45_00


UNCLEAR: dict[str, tuple[dict[str, Any], type[Exception]]] = {
    "nothing": ({}, errors.NothingToChange),
    "what was so": ({"sessions": Sessions.EITHER}, errors.NothingToChange),
    "a must of nothing": ({"therapist_sex_only": True}, errors.SaysTwoThings),
    "a language that must be none": ({"therapy_language_must": True}, errors.SaysTwoThings),
    "named and taken back": ({"most_per_session": 1, "no_longer": (Wish.MOST_PER_SESSION,)}, errors.SaysTwoThings),
    "a prison of who is in none": ({"online_allowed": True}, errors.NotInPrison),
}


@pytest.mark.parametrize("what", UNCLEAR)
def test_what_is_unclear_is_refused_and_changes_nothing(intake: Intake, what: str) -> None:
    changes, refusal = UNCLEAR[what]
    referral_id, _ = intake.ask_and_assess()
    before = intake.stored()
    with pytest.raises(refusal):
        change(intake, referral_id, **changes)
    assert intake.stored() == before


def test_what_is_finished_needs_nothing(intake: Intake) -> None:
    referral_id, _ = intake.ask_for_help()
    intake.ask(lifecycle.withdraw, Withdraw(referral_id=referral_id, reason=WithdrawalReason.CLIENT_ASKED))
    with pytest.raises(StepNotPossible):
        change(intake, referral_id, max_distance_km=60.0)


def test_where_somebody_in_prison_will_live_is_told_after_the_assessment_too(intake: Intake) -> None:
    referral_id, _ = intake.ask_and_assess(**INSIDE)
    where = intake.seal(Whereabouts(postcode="CF10 1EP"))
    intake.ask(lifecycle.find_place, FindPlace(referral_id=referral_id, whereabouts=where))
    assert [one.release_area for one in intake.emitted(ReferralAssessed)] == [None, "CF10"]


def test_only_so_many_are_remembered_with_how_they_were_told(intake: Intake) -> None:
    referral_id, _ = intake.ask_for_help()
    for kilometres in range(needs.REMEMBERED_CHANGES + 2):
        change(intake, referral_id, max_distance_km=100.0 + kilometres)
    assert len(kept(intake, referral_id).needs_changed) == needs.REMEMBERED_CHANGES
    assert len(intake.steps(referral_id)) == needs.REMEMBERED_CHANGES + 3
