"""A request that can't be read isn't gone: it is kept as it came, said at once, and read when that is possible."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from chassis.ids import new_id
from chassis.privacy.sealing import Keyring, make_keys
from contracts.commands.intake import ListUnreadable, RetriedUnreadable, RetryUnreadable, UnreadableView
from contracts.events.intake import ReferralReceived
from contracts.events.web import HelpRequested, WithdrawalRequested
from contracts.reference import reference_for
from contracts.sealed import Credentials
from contracts.vocabulary import RefusalReason, SubmissionId
from services.intake import errors
from services.intake.handlers import requests
from tests.support.samples import PASSPHRASE, consents, submission
from tests.unit.intake.conftest import Intake


@pytest.fixture
def intake(intake_on_each_store: Intake) -> Intake:
    return intake_on_each_store


@pytest.fixture
def wrong_keys(tmp_path: Path) -> Keyring:
    """Those of a front-end that was set up with the key of another intake."""
    for reader in ("intake", "notifications"):
        make_keys(tmp_path / "wrong", reader)
    return Keyring(tmp_path / "wrong")


def unreadable(intake: Intake) -> list[UnreadableView]:
    found: list[UnreadableView] = intake.ask(requests.list_unreadable, ListUnreadable())
    return found


def retry(intake: Intake, submission_id: SubmissionId) -> RetriedUnreadable:
    done: RetriedUnreadable = intake.ask(requests.retry_unreadable, RetryUnreadable(submission_id=submission_id))
    return done


def find_key(intake: Intake, folder: Path) -> None:
    """As an operator puts it back and starts intake again."""
    intake.start(replace(intake.dependencies, keyring=Keyring(folder / "wrong", reader="intake")))


def sealed_wrongly(wrong_keys: Keyring) -> HelpRequested:
    sealed = wrong_keys.seal("intake", submission())
    return HelpRequested(submission_id=SubmissionId(new_id()), form="help", form_version=1, sealed=sealed)


def test_what_is_sealed_to_a_wrong_key_is_kept_and_read_when_the_key_is_found(
    intake: Intake, wrong_keys: Keyring, tmp_path: Path
) -> None:
    event = sealed_wrongly(wrong_keys)
    for _ in range(2):
        intake.submit(event)
    (kept,) = unreadable(intake)
    assert (kept.submission_id, kept.event, kept.reason) == (
        event.submission_id,
        "HelpRequested",
        RefusalReason.UNSEALED,
    )
    assert kept.sealed_to
    with pytest.raises(errors.StillUnreadable, match="Put that key into the keys folder"):
        retry(intake, event.submission_id)
    find_key(intake, tmp_path)
    assert retry(intake, event.submission_id).reference == reference_for(event.submission_id)
    assert unreadable(intake) == []
    assert len(intake.emitted(ReferralReceived)) == 1
    with pytest.raises(errors.NothingUnreadable):
        retry(intake, event.submission_id)


def test_so_is_a_withdrawal(intake: Intake, wrong_keys: Keyring, tmp_path: Path) -> None:
    _, reference = intake.ask_for_help()
    typed = Credentials(reference=reference, passphrase=PASSPHRASE)
    event = WithdrawalRequested(submission_id=SubmissionId(new_id()), sealed=wrong_keys.seal("intake", typed))
    intake.hear(requests.withdraw_request, event)
    assert [one.event for one in unreadable(intake)] == ["WithdrawalRequested"]
    find_key(intake, tmp_path)
    assert retry(intake, event.submission_id).reference is None
    assert intake.state(reference) == "withdrawn"


def test_what_is_refused_for_anything_else_is_kept_too(intake: Intake) -> None:
    """Its sender was shown a reference all the same."""
    intake.submit(intake.requested(consents=consents(processing=False)))
    assert [(one.reason, one.field) for one in unreadable(intake)] == [(RefusalReason.CONSENT_MISSING, None)]


def test_a_request_that_comes_twice_is_no_loss(intake: Intake) -> None:
    event = intake.requested()
    for _ in range(2):
        intake.submit(event)
    assert intake.refusals() == [RefusalReason.REPLAYED]
    assert unreadable(intake) == []


@pytest.mark.parametrize("sealed", ["x", "e30.a.b", "!!.", "eyJraWQiOiAxfQ.a.b", "eyJraWQiOiAiXHUwMDAwIn0.a"])
def test_what_names_no_key_is_listed_all_the_same(intake: Intake, sealed: str) -> None:
    event = HelpRequested(submission_id=SubmissionId(new_id()), form="help", form_version=1, sealed=sealed)
    intake.submit(event)
    assert [one.sealed_to for one in unreadable(intake)] == [None]
