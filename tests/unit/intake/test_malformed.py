"""What another front-end got wrong is told to it at once, by field; nothing is tried again that can't go better."""

from __future__ import annotations

import json
from typing import Any

import pytest
from joserfc import jwe
from joserfc.jwk import ECKey

from chassis.ids import new_id
from chassis.privacy.sealing import ALGORITHM, ENCRYPTION
from contracts.events.intake import HelpRequestRefused
from contracts.events.web import HelpRequested
from contracts.vocabulary import RefusalReason, SubmissionId
from tests.support.samples import submission
from tests.unit.intake.conftest import Intake

HALF = "thank you \ud83d"
EARLY = "0001-01-01T00:00:00+14:00"
HONEST = "\ufeffDiolch \U0001f642\n\tمرحبا\u200f  می\u200cخواهم"


def sealed_elsewhere(intake: Intake, **changes: Any) -> HelpRequested:
    """A request as another program seals it, which checks nothing."""
    form = submission().to_json() | changes
    key = ECKey.import_key(json.loads((intake.keys / "intake.public.json").read_text()))
    header = {"alg": ALGORITHM, "enc": ENCRYPTION, "kid": key.kid}
    sealed = jwe.encrypt_compact(header, json.dumps(form), key, algorithms=[ALGORITHM, ENCRYPTION])
    return HelpRequested(submission_id=SubmissionId(new_id()), form="help", form_version=1, sealed=sealed)


MALFORMED: dict[str, tuple[str | None, dict[str, Any]]] = {
    "half an emoji": ("concern", {"concern": HALF}),
    "half an emoji in an answer": ("answers", {"answers": [{"question": "more", "text": HALF}]}),
    "NUL": ("name", {"name": "Robin\x00"}),
    "a name that runs the other way": ("name", {"name": "\u202eniboR"}),
    "a consent before there was time": (
        "consents",
        {"consents": {**submission().to_json()["consents"], "given_at": EARLY}},
    ),
    "born in the year 1": ("date_of_birth", {"date_of_birth": "0001-01-01"}),
    "a number that no column holds": ("fee_ceiling_pence", {"fee_ceiling_pence": 10**30}),
    "a distance without end": ("max_distance_km", {"max_distance_km": float("inf")}),
}


@pytest.mark.parametrize("why", MALFORMED)
def test_a_request_that_holds_what_cannot_be_kept_is_refused_by_its_field_at_once(
    intake_on_each_store: Intake, why: str
) -> None:
    intake = intake_on_each_store
    field, changes = MALFORMED[why]
    event = sealed_elsewhere(intake, **changes)
    intake.submit(event)
    refused = HelpRequestRefused(submission_id=event.submission_id, reason=RefusalReason.MALFORMED, field=field)
    assert intake.all_emitted == [refused]


def test_what_people_honestly_write_is_taken_in(intake_on_each_store: Intake) -> None:
    intake_on_each_store.submit(sealed_elsewhere(intake_on_each_store, name="Siân Ŵyn 🙂", concern=HONEST))
    assert intake_on_each_store.refusals() == []
    assert len(intake_on_each_store.awaiting()) == 1
