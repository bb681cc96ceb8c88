"""Everybody in the journey is invented: clients with one need, therapists with room for all, a fund that never ends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from random import Random

import uuid_utils.compat

from bench.core.bus import Message
from chassis.privacy.sealing import Keyring
from chassis.rpc import RpcClient
from contracts.commands.billing import FundTerms, OpenFund
from contracts.envelope import Envelope, source_of, to_headers
from contracts.event import Event
from contracts.events.web import HelpRequested
from contracts.sealed import Aspects, Consents, HelpSubmission, SafeChannel, SafeContact
from contracts.vocabulary import ClientGroup, FundPurpose, Known, Route, Sessions, SubmissionId
from leeward.demo import people
from leeward.demo.places import pick_place, pick_postcode
from leeward.demo.therapists import admission, directory

THERAPISTS, PLACES_EACH = 120, 200
FEE_PENCE = 40_00
"""What the fund pays for a session, so that everybody can be asked: three therapists alone would soon have no room."""

PASSPHRASE = "harbour lantern quiet meadow"  # noqa: S105


def admit_therapists(client: RpcClient, keyring: Keyring) -> None:
    """The demonstration's therapists, each with the most room that matching allows, and affordable."""
    for therapist in directory(seed=1, count=THERAPISTS):
        roomy = replace(therapist, places=PLACES_EACH, sessions=Sessions.EITHER, session_fee_pence=FEE_PENCE)
        contact = keyring.seal("notifications", roomy.contact)
        client.call("matching", "admit_therapist", **admission(roomy, contact).to_json())


def open_fund(client: RpcClient) -> None:
    fund = OpenFund(
        name="A fund for a measurement",
        amount_pence=9_000_000_00,
        terms=(FundTerms(purpose=FundPurpose.THERAPY),),
        starts_on=date.today() - timedelta(days=1),
        ends_on=date.today() + timedelta(days=365),
        session_cap_pence=FEE_PENCE,
        sessions_per_award=10,
    )
    client.call("billing", "open_fund", **fund.to_json())


def requests(keyring: Keyring, count: int, seed: int) -> Iterator[Message]:
    """Sealed requests for help, as a front-end publishes them."""
    rng = Random(seed)
    for number in range(count):
        sealed = keyring.seal("intake", _submission(rng, number))
        event = HelpRequested(
            submission_id=SubmissionId(uuid_utils.compat.uuid7()), form="help", form_version=1, sealed=sealed
        )
        yield on_the_wire(event)


def aspects(keyring: Keyring) -> str:
    """What the assessor writes, sealed once for all: sealing it is the console's work and not the services'."""
    return keyring.seal("intake", Aspects(social="Assessed in a measurement."))


def _submission(rng: Random, number: int) -> HelpSubmission:
    return HelpSubmission(
        name=people.full_name(rng, None),
        age=rng.randint(19, 80),
        route=Route.SELF,
        client_group=ClientGroup.AT_RISK,
        postcode=pick_postcode(rng, pick_place(rng)),
        contact=SafeContact(channel=SafeChannel.EMAIL, email=people.email(rng, number)),
        known_to_authorities=Known.NO,
        sessions=Sessions.EITHER,
        subsidy_requested=True,
        consents=Consents(
            text_version=1,
            given_at=datetime.now(UTC),
            processing=True,
            confidentiality_understood=True,
            pass_to_therapist=True,
            evaluation=True,
        ),
        passphrase=PASSPHRASE,
    )


def on_the_wire(event: Event, *, first: bool = True) -> Message:
    """The message that tells of an event; `first` if nothing else was told of its subject."""
    envelope = Envelope(
        id=event.subject if first else uuid_utils.compat.uuid7(),
        source=source_of(event.publisher),
        type=type(event).__name__,
        time=datetime.now(UTC),
        subject=str(event.subject),
        dataschema=event.dataschema(),
        correlation_id=str(event.subject),
    )
    properties = {
        "message_id": str(envelope.id),
        "content_type": "application/json",
        "application_headers": to_headers(envelope),
    }
    return Message(event.exchange(), envelope.type, event.encode(), properties)
