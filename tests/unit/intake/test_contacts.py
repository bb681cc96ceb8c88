"""How somebody is reached can be changed, for what is still to be sent and for the therapist who has it."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.commands.duplicates import ListDuplicates
from contracts.commands.intake import (
    ChangeContact,
)
from contracts.sealed import Custody, SafeChannel, SafeContact, Writer
from contracts.vocabulary import ClientGroup, ContactChangeReason, ContactPurpose, Known, Party, ReferralId, Route
from services.intake import errors
from services.intake.handlers import contact_changes, duplicates
from tests.support.samples import consents
from tests.unit.intake.conftest import Intake

TEXT_ME = SafeContact(channel=SafeChannel.TEXT, telephone="07700 900123")
CALL_ME = SafeContact(channel=SafeChannel.TELEPHONE, telephone="01632 960123")


@pytest.fixture
def intake(intake_on_each_store: Intake) -> Intake:
    return intake_on_each_store


def change(intake: Intake, referral_id: ReferralId, **changes: Any) -> None:
    said = {"whose": Party.CLIENT, "reason": ContactChangeReason.NO_LONGER_SAFE, "contact": intake.seal(TEXT_ME)}
    intake.ask(contact_changes.change_contact, ChangeContact(referral_id=referral_id, **(said | changes)))


def test_the_new_contact_takes_the_place_of_the_old_one(intake: Intake) -> None:
    referral_id, _ = intake.ask_for_help()
    change(intake, referral_id)
    assert intake.released(ContactPurpose.ADDRESS_BOOK)[-1][1].contact == TEXT_ME
    assert intake.released(ContactPurpose.CORRECTION) == []
    assert intake.steps(referral_id)[-1] == ("change_contact", "received", "console:somebody", "no_longer_safe")


def test_the_therapist_who_has_the_old_one_is_told_the_new_one(intake: Intake) -> None:
    referral_id, _ = intake.ask_and_assess()
    therapist_id = intake.match(referral_id).therapist_id
    change(intake, referral_id)
    ((told, known),) = intake.released(ContactPurpose.CORRECTION)
    assert (told, known.contact) == (therapist_id, TEXT_ME)


def test_whoever_wrote_has_a_contact_of_their_own(intake: Intake) -> None:
    writer = Writer(name="Pat Officer", contact=CALL_ME, client_agrees=Known.YES)
    referral_id, _ = intake.ask_for_help(route=Route.PROBATION, written_by=writer)
    change(intake, referral_id, whose=Party.WRITER)
    known = intake.released(ContactPurpose.ADDRESS_BOOK)[-1][1]
    assert known.writer is not None
    assert known.writer.contact == TEXT_ME
    assert known.contact is not None
    assert known.contact.email == "robin@example.org"


def test_nobody_wrote_for_whoever_wrote_themselves(intake: Intake) -> None:
    referral_id, _ = intake.ask_for_help()
    with pytest.raises(errors.NobodyWroteForThem):
        change(intake, referral_id, whose=Party.WRITER)


def test_a_contact_must_be_sealed(intake: Intake) -> None:
    referral_id, _ = intake.ask_for_help()
    with pytest.raises(errors.NotSealedToIntake):
        change(intake, referral_id, contact=intake.web.seal("notifications", TEXT_ME))


def test_somebody_is_recognised_by_the_new_contact(intake: Intake) -> None:
    """And changing it twice, or back, is no trouble."""
    one, _ = intake.ask_for_help(name="Kim", consents=consents())
    for contact in (TEXT_ME, CALL_ME, TEXT_ME):
        change(intake, one, contact=intake.seal(contact))
    other, _ = intake.ask_for_help(name="K.", contact=TEXT_ME)
    found = intake.ask(duplicates.list_possible_duplicates, ListDuplicates(referral_id=other))
    assert [(pair.referral_id, pair.other_referral_id) for pair in found] == [(other, one)]


@pytest.mark.parametrize(
    ("address", "addressee"),
    [
        ("1 Home Street, Elsewhere", None),
        ("HMP INVENTED, Invented Road", "Robin A0000AA"),
    ],
)
def test_what_goes_into_a_prison_has_name_and_number_above_the_address_and_nothing_else_has(
    intake: Intake, address: str, addressee: str | None
) -> None:
    post = SafeContact(channel=SafeChannel.POST, address=address)
    custody = Custody(prison="HMP Invented", prison_number="A0000AA")
    intake.ask_for_help(name="Robin", client_group=ClientGroup.IN_PRISON, custody=custody, contact=post)
    ((_, known),) = intake.released(ContactPurpose.ADDRESS_BOOK)
    assert known.addressee == addressee


def test_without_a_prison_the_name_is_enough(intake: Intake) -> None:
    intake.ask_for_help(name="Robin")
    ((_, known),) = intake.released(ContactPurpose.ADDRESS_BOOK)
    assert (known.addressee, known.name) == (None, "Robin")
