"""Who gives whom which role, who confirms it, and what happens when somebody leaves."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest

from chassis.audit.chain import AuditAction
from contracts.permissions import Role
from tests.console.conftest import Browser, House
from tests.console.test_signing_in import ADA, recorded
from web.shared.accounts.application import people, sessions
from web.shared.accounts.domain.accounts import Person
from web.shared.accounts.domain.refusals import EmailTaken
from web.shared.accounts.domain.vocabulary import Factor, GrantPolicy, Stage

BEN = "ben@example.org"


@pytest.fixture
def ada(house: House) -> Browser:
    return house.first_administrator()


def person(house: House, email: str) -> Person:
    with house.accounts.reading() as work:
        found = work.accounts.find_by_email(email)
    assert found
    return found


def give(house: House, by: Browser, email: str, role: Role) -> None:
    by.open(f"/people/{house.id_of(email)}")
    if by.path == "/sign-in":
        raise AssertionError("signed out")
    by.post(f"/people/{house.id_of(email)}/roles/give", role=role)


def decide(house: House, by: Browser, email: str, role: Role, decision: str = "confirm") -> int:
    by.open("/people/confirmations")
    path = f"/people/{house.id_of(email)}/roles/decide"
    return int(by.post(path, role=role, decision=decision).status_code)


def test_while_nobody_else_has_an_account_any_role_may_be_taken(house: House, ada: Browser) -> None:
    give(house, ada, ADA, Role.SAFEGUARDING_LEAD)
    assert Role.SAFEGUARDING_LEAD in person(house, ADA).roles
    ben = house.join(ada, BEN, Role.ADMINISTRATOR)
    ben.open("/people")
    assert "Ada Example: Safeguarding lead" in ben.text


def test_afterwards_nobody_gives_a_role_to_themself(house: House, ada: Browser) -> None:
    house.invite(ada, BEN)
    give(house, ada, ADA, Role.ASSESSOR)
    assert ada.last.status_code == 409
    assert "Nobody gives a role to themself" in ada.text


def test_a_role_that_reveals_personal_data_waits_for_a_second_person(house: House, ada: Browser) -> None:
    cyd = house.join(ada, "cyd@example.org", Role.ADMINISTRATOR)
    ben = house.join(ada, BEN, Role.ASSESSOR, Role.TRUSTEE)
    assert person(house, BEN).roles == {Role.TRUSTEE}
    assert decide(house, ada, BEN, Role.ASSESSOR) == 409  # she gave it
    ben.open("/people/confirmations")
    assert ben.last.status_code == 403
    assert decide(house, cyd, BEN, Role.ASSESSOR) == 200
    assert person(house, BEN).roles == {Role.TRUSTEE, Role.ASSESSOR}
    assert (house.id_of("cyd@example.org"), AuditAction.ROLE_CONFIRMED, "assessor") in recorded(house)


def test_whoever_gets_a_role_doesnt_confirm_it(house: House, ada: Browser) -> None:
    ben = house.join(ada, BEN, Role.ADMINISTRATOR, Role.FINANCE)
    assert decide(house, ben, BEN, Role.FINANCE) == 409
    assert Role.FINANCE not in person(house, BEN).roles


def test_a_safeguarding_lead_confirms_too(house: House, ada: Browser) -> None:
    cyd = house.join(ada, "cyd@example.org", Role.ADMINISTRATOR)
    lead = house.join(ada, "lea@example.org", Role.SAFEGUARDING_LEAD)
    decide(house, cyd, "lea@example.org", Role.SAFEGUARDING_LEAD)
    house.join(ada, BEN, Role.ASSESSOR)
    assert decide(house, lead, BEN, Role.ASSESSOR) == 200
    assert person(house, BEN).roles == {Role.ASSESSOR}


def test_a_role_that_was_declined_is_gone(house: House, ada: Browser) -> None:
    cyd = house.join(ada, "cyd@example.org", Role.ADMINISTRATOR)
    house.join(ada, BEN, Role.FINANCE)
    assert decide(house, cyd, BEN, Role.FINANCE, "decline") == 200
    assert not person(house, BEN).grants
    assert decide(house, cyd, BEN, Role.FINANCE) == 409  # nothing waits any more


def test_by_the_policy_tell_a_role_is_effective_at_once(house: House, ada: Browser) -> None:
    accounts = replace(house.accounts, policy=GrantPolicy.TELL)
    by = UUID(house.id_of(ADA))
    account_id = people.invite(accounts, by=by, email=BEN, name="Ben", roles=[Role.ASSESSOR])
    with accounts.reading() as work:
        assert all(grant.is_effective for grant in work.accounts.get(account_id).grants)


def test_only_whoever_is_invited_sees_the_link(house: House, ada: Browser) -> None:
    link = house.invite(ada, BEN)
    assert "Ben is invited" in ada.text
    assert link.rpartition("/")[2] not in ada.last.text
    assert house.newest_letter().email == BEN


def test_somebody_who_lost_everything_sets_up_anew_and_all_leads_are_told(house: House, ada: Browser) -> None:
    ben = house.join(ada, BEN, Role.TRUSTEE)
    path = f"/people/{house.id_of(BEN)}/renew"
    ada.open(path)
    ada.post(path)
    assert ben.open("/account").status_code == 200  # until they use the link
    renewed = house.browse()
    renewed.set_up(house.newest_letter().link or "")
    assert person(house, BEN).roles == {Role.TRUSTEE}
    ben.open("/account")
    assert ben.path == "/sign-in"
    outbox = house.accounts.database.tables.outbox
    with house.accounts.reading() as work:
        told = [row.body for row in work.unit.session.execute(outbox.select()) if row.routing_key == "StaffTold"]
    assert sum('"account_renewed"' in body for body in told) == 2  # Ada and Ben


def test_the_last_administrator_stays(house: House, ada: Browser) -> None:
    me = f"/people/{house.id_of(ADA)}"
    ada.open(me)
    assert ada.post(f"{me}/roles/take", role=Role.ADMINISTRATOR).status_code == 409
    for action in ("lock", "end"):
        ada.open(f"{me}/{action}")
        assert ada.post(f"{me}/{action}").status_code == 409
    house.invite(ada, BEN, Role.ADMINISTRATOR)  # whoever hasn't set up their account can't manage others
    ada.open(me)
    assert ada.post(f"{me}/roles/take", role=Role.ADMINISTRATOR).status_code == 409


def test_whoever_leaves_is_out_at_once_and_stays_on_record(house: House, ada: Browser) -> None:
    ben = house.join(ada, BEN, Role.TRUSTEE)
    ben.open("/account")
    assert ben.path == "/account"
    path = f"/people/{house.id_of(BEN)}/end"
    ada.open(path)
    ada.post(path)
    assert "Has left" in ada.text
    account = person(house, BEN)
    with house.accounts.work() as work:
        assert work.sessions.of(account.account.id) == []
        # Should a session be begun at that very moment, it lets nobody in either.
        late = sessions.begin(work, account, stage=Stage.FULL, browser="", factor=Factor.CODE)
    assert sessions.find(house.accounts, late) is None
    ben.open("/account")
    assert ben.path == "/sign-in"
    ben.give_password(BEN)
    assert ben.path == "/sign-in"
    assert "Ben" in ada.open("/people").text


def test_an_account_that_is_locked_opens_again_as_it_was(house: House, ada: Browser) -> None:
    ben = house.join(ada, BEN, Role.TRUSTEE)
    for action in ("lock", "unlock"):
        path = f"/people/{house.id_of(BEN)}/{action}"
        ada.open(path)
        ada.post(path)
        ben.give_password(BEN)
        assert (ben.path == "/sign-in/code") == (action == "unlock")


def test_one_person_has_one_account_however_they_write_their_address(house: House, ada: Browser) -> None:
    house.invite(ada, BEN)
    ada.open("/people/invite")
    ada.post("/people/invite", name="Ben", email="Ben@Example.ORG")
    assert str(EmailTaken()) in ada.text


def test_a_list_is_paged_and_filtered_by_its_address(house: House, ada: Browser) -> None:
    by = UUID(house.id_of(ADA))
    for number in range(60):
        people.invite(house.accounts, by=by, email=f"p{number:02}@example.org", name=f"Person {number}", roles=())
    ada.open("/people?state=invited")
    assert "p00@example.org" in ada.text
    assert "p50@example.org" not in ada.text
    assert 'href="/people">' in ada.last.text  # the filter's chip takes it away
    ada.open("/people?state=invited&after=p49%40example.org")
    assert "p50@example.org" in ada.text
    assert "p49@example.org" not in ada.text
    ada.open("/people?role=finance")
    assert "Nobody fits." in ada.text


def test_a_lead_sees_where_somebody_is_signed_in_and_changes_nothing(house: House, ada: Browser) -> None:
    cyd = house.join(ada, "cyd@example.org", Role.ADMINISTRATOR)
    lea = house.join(ada, "lea@example.org", Role.SAFEGUARDING_LEAD)
    decide(house, cyd, "lea@example.org", Role.SAFEGUARDING_LEAD)
    page = f"/people/{house.id_of(ADA)}"
    lea.open("/people")
    assert "Ada Example" in lea.text
    assert "Invite somebody" not in lea.text
    lea.open(page)
    assert "Signed in now on:" in lea.text
    assert "Signed in, code of an app" in lea.text
    for button in ("Take away", "Give a role", "They leave", "Lock it"):
        assert button not in lea.text
    assert lea.open(f"{page}/end").status_code == 403
    assert lea.client.post(f"{page}/roles/give", data={"csrf": lea.token_for_forms()}).status_code == 403
    ada.post("/sign-out")
    lea.open(page)
    assert "Not signed in now." in lea.text
    cyd.open(page)
    assert "Lock it" in cyd.text
