"""Therapists on the staff's pages, on a running system: admitted, looked at, changed, suspended and reinstated."""

from __future__ import annotations

import re
from typing import Any

import pytest

from contracts.permissions import Role
from tests.console import test_work
from tests.console.conftest import Browser, House
from tests.console.test_work import confirm_roles, filled_in, shown
from tests.support.story import Story

house_at_work, story = test_work.house_at_work, test_work.story

ADMISSION: dict[str, Any] = {
    "name": "Theo Planted", "email": "theo@example.org", "telephone": "07700 900123", "outward_code": "NP19 4XY",
    "competence": "higher", "client_groups": ["at_risk", "young_person"], "couple_work": "yes", "sessions": "either",
    "languages": "english, Welsh", "session_fee": "£55.50", "sex": "male", "wheelchair_access": "no", "places": "2",
    "interpreters": "no", "young_from_years": "12", "young_to_years": "17",
}  # fmt: skip


def join(house: House, *roles: Role) -> Browser:
    ada = house.first_administrator()
    eva = house.join(ada, "eva@example.org", *roles)
    confirm_roles(house, ada)
    return eva


def page_of(browser: Browser) -> str:
    """The therapist's page that the browser is on."""
    assert re.fullmatch(r"/therapists/[0-9a-f-]{36}", browser.path), browser.text
    return browser.path


def test_a_therapist_is_admitted_changed_and_suspended_on_pages(house_at_work: House, story: Story) -> None:
    eva = join(house_at_work, Role.MATCHING)
    eva.open("/")
    assert 'href="/therapists"' in eva.last.text
    filled_in(eva, "/therapists/admit", **ADMISSION)
    page = page_of(eva)
    story.therapist_id = page.rpartition("/")[2]  # type: ignore[assignment]
    assert "The therapist is admitted" in eva.text
    assert "English, Welsh" in eva.text
    assert "£55.50" in eva.text
    assert "Aged 12 to 17" in eva.text
    assert "Planted" not in eva.last.text
    assert page in shown(eva, f"/therapists?after={before(story.therapist_id)}", "NP19").last.text
    eva.open("/therapists?competence=higher&group=young_person&state=active&area=np")
    assert page in eva.last.text
    assert "Postcode: NP" in eva.text
    for other in ("competence=lower", "group=survivor", "state=suspended", "area=n", "area=CF"):
        eva.open(f"/therapists?{other}&after={before(story.therapist_id)}")
        assert page not in eva.last.text, other
    eva.open("/therapists?competence=x&group=x&state=x&area=%00x&after=x")
    assert eva.last.status_code == 200
    filled_in(eva, f"{page}/places", places="5")
    assert "5 free" in eva.text
    filled_in(eva, f"{page}/change", session_fee="60", languages="Polish", reason="they_said")
    assert "£60" in eva.text
    assert "Polish" in eva.text
    filled_in(eva, f"{page}/suspend", reason="insurance_expired")
    assert "Suspended: Insurance expired" in eva.text
    assert story.heard("TherapistSuspended")["reason"] == "insurance_expired"
    audit = story.system.rpc.call("matching", "audit", subject_id=story.therapist_id)
    done = {entry["reason"]: entry["who"] for entry in audit["entries"] if entry["what"] == "commanded"}
    assert {"admit_therapist", "change_places", "suspend_therapist: insurance_expired"} <= done.keys()
    assert set(done.values()) == {f"console:{house_at_work.id_of('eva@example.org')}"}
    filled_in(eva, f"{page}/reinstate", reason="insurance_expired")
    assert "Suspended:" not in eva.text
    eva.open(f"{page}/reinstate")
    assert eva.path == page, "there is nothing to reinstate them from"


def before(therapist_id: Any) -> str:
    """The identifier just before this one, so that a list begins with it."""
    number = int(str(therapist_id).replace("-", ""), 16) - 1
    digits = f"{number:032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def test_what_a_therapist_is_reached_by_goes_to_notifications_alone(house_at_work: House, story: Story) -> None:
    eva = join(house_at_work, Role.MATCHING)
    filled_in(eva, "/therapists/admit", **{**ADMISSION, "email": f"{story.language}@example.org"})
    page = page_of(eva)
    story.therapist_id = page.rpartition("/")[2]  # type: ignore[assignment]
    sealed = story.heard("TherapistContactChanged")["sealed"]
    assert "Planted" not in sealed
    eva.open(f"{page}/contact")
    assert "Planted" not in eva.last.text
    filled_in(eva, f"{page}/contact", name="Theo Other", email="new@example.org", reason="office_found")
    assert "How the therapist is reached is changed" in eva.text
    assert "Theo Other" not in eva.last.text


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("outward_code", "ZX9", "This outward code is not known"),
        ("outward_code", "the coast", "Write the first half of a postcode, like NP20."),
        ("email", "theo at home", "Write an e-mail address, like name@example.org."),
        ("telephone", "12", "Write a telephone number with its area code"),
        ("client_groups", [], "Tick at least one group."),
        ("client_groups", ["everybody"], "not a valid choice"),
        ("languages", "english; klingonese", "Write languages in English with commas between them"),
        ("session_fee", "a lot", "Write an amount from £0 to £1,000"),
        ("places", "201", "Write a whole number from 0 to 200."),
        ("competence", "", "Choose one: What are they trained for?"),
        ("name", "Theo\nBcc: all@example.org", "Write it in one line."),
        ("young_from_years", "17", "The youngest age is above the oldest."),
    ],
)
def test_bad_input_says_what_to_do_and_keeps_what_was_typed(
    house_at_work: House, story: Story, field: str, typed: Any, said: str
) -> None:
    eva = join(house_at_work, Role.MATCHING)
    odd = {"young_to_years": "12"} if field == "young_from_years" else {}
    eva.open("/therapists/admit")
    eva.post("/therapists/admit", **{**ADMISSION, **odd, field: typed})
    assert eva.path == "/therapists/admit"
    assert "There is a problem" in eva.text
    assert said in eva.text
    assert "Error: Admit a therapist" in eva.text
    assert 'value="english, Welsh"' in eva.last.text or field == "languages"
    for target in re.findall(r'<li><a href="#([^"]+)">', eva.last.text):
        assert f'id="{target}"' in eva.last.text


def test_a_form_that_is_sent_twice_admits_one_therapist(house_at_work: House, story: Story) -> None:
    eva = join(house_at_work, Role.MATCHING)
    eva.open("/therapists/admit")
    hidden = eva.hidden("/therapists/admit")
    eva.client.post("/therapists/admit", data={**hidden, **ADMISSION})
    eva.last = eva.client.post("/therapists/admit", data={**hidden, **ADMISSION, "session_fee": "70"})
    page_of(eva)
    assert "was admitted already" in eva.text
    assert "£55.50" in eva.text


def test_the_second_of_two_sees_what_the_first_made_of_it(house_at_work: House, story: Story) -> None:
    eva = join(house_at_work, Role.MATCHING)
    story.admit_therapist()
    path = f"/therapists/{story.therapist_id}/change"
    eva.open(path)
    story.system.rpc.call(
        "matching", "change_therapist", therapist_id=story.therapist_id, reason="they_said", session_fee_pence=42_00
    )
    eva.post(path, session_fee="61", languages="English", reason="they_said")
    assert "somebody has changed the therapist meanwhile" in eva.text
    assert "£42" in eva.text
    assert 'value="61"' in eva.last.text
    eva.post(path, session_fee="61", languages="English", reason="they_said")
    assert "£61" in eva.text


def test_who_sees_matching_opens_a_therapist_and_may_do_only_their_own(house_at_work: House, story: Story) -> None:
    eva = join(house_at_work, Role.ASSESSOR)
    story.admit_therapist()
    story.ask_for_help()
    story.assess()
    story.heard("TherapistOffered")
    shown(eva, f"/referrals/{story.referral_id}", "Offered to a therapist")
    eva.open("/")
    assert 'href="/therapists"' not in eva.last.text
    eva.open(f"/therapists/{story.therapist_id}")
    assert "Waits for their answer until" in eva.text
    assert "Suspend" not in eva.text
    assert "what they owe" not in eva.text
    eva.open("/therapists/01932b5e-7c00-7000-8000-0000000000ff")
    assert "There is no such therapist" in eva.text


def test_what_they_owe_is_shown_to_whoever_may_see_it(house_at_work: House, story: Story) -> None:
    eva = join(house_at_work, Role.MATCHING)
    story.admit_therapist()
    shown(eva, f"/therapists/{story.therapist_id}", "They owe")
    assert "Membership" in eva.text
