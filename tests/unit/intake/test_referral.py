"""Who is recognised as its client, and what raises a concern by rule."""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from chassis.ids import new_id
from contracts.vocabulary import AgeBand, ClientGroup, ConcernCategory, PersonAtRisk, ReferralId, Severity, SubmissionId
from services.intake.domain.ages import age_band, age_in_years
from services.intake.domain.passphrases import digest_of_passphrase, verify_passphrase
from services.intake.domain.referral import Referral
from services.intake.domain.safeguarding import Finding, finding_in_evaluation, findings_in_request

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
KEY = b"k" * 32
PASSPHRASE = "harbour lantern quiet meadow"
CHILD = Finding(Severity.IMMEDIATE, ConcernCategory.CHILD_AT_RISK)
YOUNG = Finding(Severity.ADVISORY, ConcernCategory.YOUNG_CLIENT)


def a_referral(**changes: Any) -> Referral:
    id_ = ReferralId(new_id())
    fields: dict[str, Any] = {
        "id": id_,
        "submission_id": SubmissionId(new_id()),
        "reference": "9C28-SAU2-5",
        "client_group": ClientGroup.AT_RISK,
        "received_at": NOW,
        "assess_by": NOW + timedelta(days=2),
        "passphrase_mark": digest_of_passphrase(PASSPHRASE, referral_id=id_, key=KEY),
    }
    return Referral(**(fields | changes))


@pytest.mark.parametrize(
    ("age", "band"),
    [
        (None, AgeBand.UNKNOWN),
        (0, AgeBand.UNDER_18),
        (17, AgeBand.UNDER_18),
        (18, AgeBand.FROM_18),
        (24, AgeBand.FROM_18),
        (25, AgeBand.FROM_25),
        (34, AgeBand.FROM_25),
        (35, AgeBand.FROM_35),
        (44, AgeBand.FROM_35),
        (45, AgeBand.FROM_45),
        (54, AgeBand.FROM_45),
        (55, AgeBand.FROM_55),
        (64, AgeBand.FROM_55),
        (65, AgeBand.FROM_65),
        (120, AgeBand.FROM_65),
    ],
)
def test_only_an_age_band_leaves_intake(age: int | None, band: AgeBand) -> None:
    assert age_band(age) is band


@pytest.mark.parametrize(
    ("age", "born", "years"),
    [
        (41, None, 41),
        (None, date(2008, 11, 23), 18),
        (None, date(2008, 11, 24), 17),
        (19, date(2008, 11, 24), 17),
        (17, date(2000, 1, 1), 17),
        (None, None, None),
    ],
)
def test_whoever_may_be_young_counts_as_young(age: int | None, born: date | None, years: int | None) -> None:
    assert age_in_years(age=age, date_of_birth=born, on=NOW.date()) == years


@pytest.mark.parametrize(
    ("group", "age", "at_risk", "found"),
    [
        (ClientGroup.AT_RISK, 41, False, []),
        (ClientGroup.OFFENDED, 41, False, []),
        (ClientGroup.AT_RISK, None, False, []),
        (ClientGroup.AT_RISK, 18, False, []),
        (ClientGroup.AT_RISK, 17, False, [YOUNG]),
        (ClientGroup.YOUNG_PERSON, None, False, [YOUNG]),
        (ClientGroup.YOUNG_PERSON, 17, False, [YOUNG]),
        (ClientGroup.YOUNG_PERSON, 19, False, [YOUNG]),
        (ClientGroup.FAMILY, 41, True, [CHILD]),
        (ClientGroup.AT_RISK, 17, True, [CHILD, YOUNG]),
    ],
)
def test_a_concern_is_raised_where_somebody_is_at_risk_and_for_every_young_client_and_for_no_offence(
    group: ClientGroup, age: int | None, at_risk: bool, found: list[Finding]
) -> None:
    assert (
        findings_in_request(
            client_group=group, age=age, identifiable_person_at_risk=at_risk, person_at_risk=PersonAtRisk.CHILD
        )
        == found
    )


@pytest.mark.parametrize(
    ("said", "category"),
    [
        (PersonAtRisk.CHILD, ConcernCategory.CHILD_AT_RISK),
        (PersonAtRisk.ADULT, ConcernCategory.ADULT_AT_RISK),
        (PersonAtRisk.NOT_KNOWN, ConcernCategory.PERSON_AT_RISK),
    ],
)
def test_a_concern_is_about_whom_the_form_names(said: PersonAtRisk, category: ConcernCategory) -> None:
    found = findings_in_request(
        client_group=ClientGroup.FAMILY, age=41, identifiable_person_at_risk=True, person_at_risk=said
    )
    assert found == [Finding(Severity.IMMEDIATE, category)]


def test_an_answer_about_suicide_is_urgent() -> None:
    assert finding_in_evaluation() == Finding(Severity.URGENT, ConcernCategory.RISK_TO_SELF)


def tries(referral: Referral, passphrase: str = PASSPHRASE, *, at: datetime = NOW) -> bool:
    return verify_passphrase(referral, passphrase, key=KEY, at=at)


def tries_wrongly(referral: Referral, times: int, *, at: datetime = NOW) -> None:
    assert [tries(referral, "harbour lantern", at=at) for _ in range(times)] == [False] * times


@pytest.mark.parametrize(
    "typed",
    [
        PASSPHRASE,
        "Harbour LANTERN quiet meadow",
        "  harbour  lantern\tquiet\nmeadow ",
        "harbour\u00a0lantern quiet meadow",
        "ｈａｒｂｏｕｒ lantern quiet meadow",
    ],
)
def test_case_and_spacing_of_a_passphrase_are_forgiven(typed: str) -> None:
    assert tries(a_referral(), typed)


@pytest.mark.parametrize("typed", ["nain's sea-side walk", "Nain\u2019s sea\u2013side  walk", "nain`s sea -- side walk",
                                   "nain\u02bcs sea \u2014 side walk"])  # fmt: skip
def test_the_kind_of_quotes_and_dashes_in_a_passphrase_is_forgiven(typed: str) -> None:
    id_ = ReferralId(new_id())
    kept = a_referral(
        id=id_, passphrase_mark=digest_of_passphrase("Nain\u2018s sea\u2010side walk", referral_id=id_, key=KEY)
    )
    assert tries(kept, typed)
    assert not tries(kept, "nains seaside walk")


def test_words_that_were_kept_before_quotes_were_forgiven_still_open() -> None:
    id_, words = ReferralId(new_id()), "nain\u2019s sea-side walk"
    kept = a_referral(id=id_, passphrase_mark=hmac.new(KEY, id_.bytes + words.encode(), hashlib.sha256).digest())
    assert tries(kept, "Nain\u2019s  SEA-side walk")
    assert not tries(kept, "another one")


@pytest.mark.parametrize("typed", ["", "harbour lantern quiet", "harbourlanternquietmeadow", "meadow harbour"])
def test_another_passphrase_is_not_forgiven(typed: str) -> None:
    assert not tries(a_referral(), typed)


def test_the_same_passphrase_leaves_another_mark_on_each_referral_and_under_each_key() -> None:
    one, other = ReferralId(new_id()), ReferralId(new_id())
    marks = {
        digest_of_passphrase(PASSPHRASE, referral_id=id_, key=key) for id_ in (one, other) for key in (KEY, b"x" * 32)
    }
    assert len(marks) == 4


def test_four_wrong_tries_do_not_lock() -> None:
    referral = a_referral()
    tries_wrongly(referral, 4)
    assert tries(referral)


def test_five_wrong_tries_lock_for_a_quarter_of_an_hour_even_for_whoever_knows_it() -> None:
    referral = a_referral()
    tries_wrongly(referral, 5)
    assert not tries(referral)
    assert not tries(referral, at=NOW + timedelta(minutes=15, seconds=-1))
    assert tries(referral, at=NOW + timedelta(minutes=15))


def test_a_try_while_locked_neither_counts_nor_prolongs() -> None:
    referral = a_referral()
    tries_wrongly(referral, 5)
    tries_wrongly(referral, 5, at=NOW + timedelta(minutes=14))
    later = NOW + timedelta(minutes=15)
    tries_wrongly(referral, 4, at=later)
    assert tries(referral, at=later)


def test_after_the_lock_five_more_wrong_tries_lock_again() -> None:
    referral = a_referral()
    later = NOW + timedelta(minutes=15)
    tries_wrongly(referral, 5)
    tries_wrongly(referral, 5, at=later)
    assert not tries(referral, at=later)


def test_the_right_passphrase_forgets_the_wrong_ones() -> None:
    referral = a_referral()
    for _ in range(3):
        tries_wrongly(referral, 4)
        assert tries(referral)
