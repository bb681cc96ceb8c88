"""Nothing personal that is typed into a form can be found anywhere but where it may be, and nowhere once it is erased.

Unmistakable values are planted in every field, the journey is made with every service, and everything is searched.
"""

from __future__ import annotations

import json
import subprocess
import urllib.request
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from uuid import UUID

import pytest
from kombu import Connection
from sqlalchemy import select
from sqlalchemy.orm import Session
from typer.testing import CliRunner

from chassis.bus.dead_letters import dead_queue
from chassis.bus.messages import MAX_MESSAGE_BYTES
from chassis.ids import new_id
from chassis.privacy.vault import Erased, Vault
from chassis.store.engine import open_engine
from contracts.catalogue import PUBLISHERS
from contracts.envelope import Envelope, to_headers
from contracts.sealed import (
    Aspects,
    ClientContact,
    Custody,
    FormAnswer,
    HelpForm,
    SafeChannel,
    SafeContact,
    Writer,
)
from contracts.vocabulary import Known, ReferralId
from leeward.cli import app
from leeward.runtime import local_broker
from leeward.runtime.local_broker import Node
from leeward.runtime.workspace import SERVICES
from services.intake.store import tables
from tests.conftest import STORES
from tests.support.bus import Sender, Tap, eventually
from tests.support.introduction import MOBILE, Visitor
from tests.support.planting import Found, Planted, files_under
from tests.support.postgresql import Server
from tests.support.story import Story, return_form
from tests.support.system import System, http_of, whole_system

PLANTED = {
    "name": "Zebedee Quillfeather",
    "email": "zebedee.quillfeather@example.org",
    "telephone": "07700 900 987",
    "address": "17 Marmalade Steps, Kumquat Hythe",
    "call_as": "the bassoon repair shop",
    "postcode": "NP20 7XJ",
    "date_of_birth": "1983-07-29",
    "concern": "a concern about persimmon orchards",
    "hopes": "hoping for calmer gooseberries",
    "interpreter": "Tocharian by whistling",
    "access_needs": "a ramp for the velocipede",
    "writer": "Araminta Thistlewhistle",
    "organisation": "Guild of Umbrella Menders",
    "role": "Warden of Parapluies",
    "relationship": "second cousin by barter",
    "writers_email": "araminta.thistlewhistle@example.org",
    "writers_telephone": "07700 900 654",
    "writers_address": "3 Rissole Parade, Nether Custard",
    "writers_call_as": "the harpsichord tuner",
    "writers_older_email": "a.thistlewhistle.before@example.org",
    "writers_older_telephone": "07700 900 321",
    "prison": "HMP Rhubarb Crumble",
    "prison_number": "QX9988ZZ",
    "release_area": "Upper Crumpetshire",
    "answer": "an answer about lapis lazuli",
    "one_of_several": "several marzipan badgers",
    "passphrase": "walrus obelisk tangerine fathom",
    "assessors_words": "assessor noted chartreuse evenings",
}
PERMITTED = {
    "mail": "the letters themselves, to the client and to whoever wrote for them",
}
"""Folders of the workspace where planted values may stand in the clear, and why. All others are searched."""

IN_LETTERS = {"email", "call_as"}
"""The address that a letter went to, and whom it says that it is from where its reader asked for that."""


def planted_form() -> dict[str, object]:
    """Everything that a form can say, in the planted values."""
    one = PLANTED
    return {
        "name": one["name"],
        "postcode": one["postcode"],
        "contact": SafeContact(
            channel=SafeChannel.EMAIL,
            email=one["email"],
            telephone=one["telephone"],
            address=one["address"],
            call_as=one["call_as"],
        ),
        "date_of_birth": date.fromisoformat(one["date_of_birth"]),
        "concern": one["concern"],
        "hopes": one["hopes"],
        "interpreter": one["interpreter"],
        "access_needs": one["access_needs"],
        "written_by": Writer(
            name=one["writer"],
            organisation=one["organisation"],
            role=one["role"],
            relationship=one["relationship"],
            contact=SafeContact(
                channel=SafeChannel.EMAIL,
                email=one["writers_email"],
                telephone=one["writers_telephone"],
                address=one["writers_address"],
                call_as=one["writers_call_as"],
            ),
            email=one["writers_older_email"],
            telephone=one["writers_older_telephone"],
            client_agrees=Known.NO,
        ),
        "custody": Custody(prison=one["prison"], prison_number=one["prison_number"], release_area=one["release_area"]),
        "answers": (FormAnswer(question="anything_else", text=one["answer"], several=(one["one_of_several"],)),),
        "passphrase": one["passphrase"],
        "identifiable_person_at_risk": True,
    }


class Everything:
    """A running system with all that it leaves behind, and the search through it."""

    def __init__(self, system: System, node: Node, server: Server | None) -> None:
        self.system, self.node, self.server = system, node, server
        self.folder = system.workspace.folder
        self.planted = Planted(PLANTED)

    def search(self) -> list[Found]:
        """What is found of the planted values anywhere but in the permitted places."""
        return self.planted.search_all(self.places())

    def places(self, but: Iterable[str] = PERMITTED) -> Iterator[tuple[str, bytes]]:
        """All that is left behind, without these folders of the workspace."""
        yield from files_under(self.folder, but=[self.folder / name for name in but])
        yield from files_under(self.node.folder)
        for service in SERVICES:
            with urllib.request.urlopen(f"{http_of(self.system, service)}/metrics", timeout=10) as page:
                yield f"the metrics of {service}", page.read()
        for service in SERVICES:
            with dead_queue(self.system.amqp_uri, service, max_message_bytes=MAX_MESSAGE_BYTES) as queue:
                for letter in queue.letters():
                    yield f"a dead letter of {service}", letter.message.body
                    headers = json.dumps(letter.headers, default=str).encode()
                    yield f"the headers of a dead letter of {service}", headers
        for service in SERVICES if self.server else ():
            yield f"a dump of {service}", self._dump(service)

    def unpack_backup(self) -> None:
        """PostgreSQL's dumps are compressed, so what is in them is laid beside them."""
        for dump in self.backup.glob("*.dump"):
            unpacked = ["pg_restore", f"--file={dump.with_suffix('.sql')}", str(dump)]
            subprocess.run(unpacked, check=True)

    @property
    def backup(self) -> Path:
        """Among everything else that is searched."""
        return self.folder / "backup"

    def _dump(self, service: str) -> bytes:
        assert self.server
        name = self.system.workspace.stores()[service].rsplit("/", 1)[-1]
        command = [str(self.server.bin / "pg_dump"), "-h", "127.0.0.1", "-p", str(self.server.port), "-U", "leeward"]
        return subprocess.run([*command, name], check=True, capture_output=True).stdout


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """A broker of this file's own: the one that all tests share has kept too much of theirs to be searched in time."""
    started = local_broker.start(tmp_path_factory.mktemp("broker-to-search"))
    yield started
    started.stop()


@pytest.fixture(params=STORES)
def everything(
    request: pytest.FixtureRequest, node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Everything]:
    """A system of its own, as talkative as it gets: logs at DEBUG, and traces written beside them."""
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "console")
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "100")
    server = request.getfixturevalue("postgresql_server") if request.param == "postgresql" else None
    name = f"{request.module.__name__.rpartition('.')[2].removeprefix('test_')}_{request.param}"
    settings = {"LEEWARD_LOG_LEVEL": "DEBUG"}
    with whole_system(node, tmp_path / "var", name=name, server=server, settings=settings) as system:
        yield Everything(system, node, server)


def make_the_journey(everything: Everything) -> Story:
    system, address = everything.system, PLANTED["email"]
    with Tap(system.amqp_uri, PUBLISHERS) as tap:
        story = Story(system, tap)
        story.admit_therapist(telephone=MOBILE, works_with_interpreters=True)
        story.ask_for_help(**planted_form())
        story.assess(aspects=system.keyring.seal("intake", Aspects(risk=PLANTED["assessors_words"])))
        record_agreement(everything, story)
        take_in_hand(story)
        story.accept()
        code = see_the_client(everything, story)
        return_form(story, address)
        story.heard("EvaluationSubmitted", respondent="client")
        bury_a_letter(everything, story)
        tap.listen(0.5)
        on_the_wire = [
            (heard.name, heard.body + json.dumps(heard.headers, default=str).encode()) for heard in tap.heard
        ]
    assert everything.planted.search_all(on_the_wire) == []
    # Six digits by themselves stand somewhere by chance.
    said = Planted({"as it is sent": f"{code} is your code", "as it is sealed": f'"code":"{code}"'})
    assert said.search_all(everything.places(but=(*PERMITTED, "texts"))) == []
    assert said.search_all(on_the_wire) == []
    return story


def see_the_client(everything: Everything, story: Story) -> str:
    """As the therapist, by the letter's link and the code in the text message, which it gives."""
    therapist = Visitor(story)
    code = therapist.code_by_text()
    assert therapist.type(code)
    client = therapist.read()
    assert client is not None
    assert client.contact is not None
    assert (client.name, client.contact.email) == (PLANTED["name"], PLANTED["email"])
    assert client.writer is None
    changed = SafeContact(channel=SafeChannel.EMAIL, email=PLANTED["email"], telephone=PLANTED["telephone"])
    sealed = everything.system.keyring.seal("intake", changed)
    asked = {"referral_id": story.referral_id, "whose": "client", "contact": sealed}
    everything.system.rpc.call("intake", "change_contact", reason="no_longer_safe", **asked)
    story.letter_to(f"{story.therapist_id}@example.org", "is reached in another way")
    return code


def record_agreement(everything: Everything, story: Story) -> None:
    """Until then only whoever wrote for the client is written to, and nobody is sought."""
    story.letter_to(PLANTED["writers_email"], str(story.receipt.reference))
    assert story.letters_to(PLANTED["email"]) == []
    assert everything.system.rpc.call("matching", "standing", referral_id=story.referral_id)["on_hold"]
    said = ("this_request", "--told", "by_telephone")
    leeward(everything, "referral", "consent", str(story.receipt.reference), *said)


def take_in_hand(story: Story) -> None:
    """Somebody has been told that a person may be at risk, and sees to it; nobody is sought before."""
    concern_id = story.heard("SafeguardingAlertSent", step="duty_lead")["concern_id"]
    acknowledged = {"concern_id": concern_id}
    story.system.rpc.call("notifications", "acknowledge_alert", **acknowledged)


def bury_a_letter(everything: Everything, story: Story) -> None:
    """A message about the client that neither notifications nor the console takes in: it was sealed to another."""
    contact = ClientContact(
        referral_id=ReferralId(UUID(story.referral_id)),
        reference=str(story.receipt.reference),
        name=PLANTED["name"],
        contact=SafeContact(channel=SafeChannel.EMAIL, email=PLANTED["email"]),
    )
    sealed = everything.system.keyring.seal("intake", contact)
    body = {"referral_id": story.referral_id, "purpose": "address_book", "sealed": sealed}
    envelope = Envelope(
        id=new_id(),
        source="urn:leeward:intake",
        type="ContactReleased",
        time=datetime.now(UTC),
        subject=story.referral_id,
        sequence=99,
    )
    with Sender(everything.system.amqp_uri) as sender:
        sender.send("intake.events", "ContactReleased", body, message_id=str(envelope.id), headers=to_headers(envelope))
    for service in ("notifications", "console"):
        eventually(lambda service=service: dead_letters(everything, service) == 1, "it lies with the dead letters")


def bury_a_letter_about_nobody_known(everything: Everything) -> str:
    """A withdrawal that intake can't take in, because it isn't as it should be. Returns its id."""
    envelope = Envelope(
        id=new_id(), source="urn:leeward:web", type="WithdrawalRequested", time=datetime.now(UTC), subject=str(new_id())
    )
    body = {
        "submission_id": "no identifier",
        "sealed": everything.system.keyring.seal("intake", Aspects(risk="made up")),
    }
    with Sender(everything.system.amqp_uri) as sender:
        sender.send(
            "web.events", "WithdrawalRequested", body, message_id=str(envelope.id), headers=to_headers(envelope)
        )
    eventually(lambda: dead_letters(everything, "intake") == 1, "it lies with the dead letters")
    return str(envelope.id)


def dead_letters(everything: Everything, service: str = "notifications") -> int:
    with Connection(everything.system.amqp_uri) as connection:
        return int(connection.default_channel.queue_declare(f"{service}.dead", passive=True).message_count)


def leeward(everything: Everything, *arguments: str, refused: str = "") -> str:
    environment = {"AMQP_URI": everything.system.amqp_uri, "COLUMNS": "200"}
    done = CliRunner().invoke(app, [*arguments, "--var", str(everything.folder)], env=environment)
    assert done.exit_code == (1 if refused else 0), done.output
    assert refused in done.output
    return done.stdout


def test_what_was_typed_is_found_nowhere_and_cannot_be_read_once_it_is_erased(everything: Everything) -> None:
    story = make_the_journey(everything)
    assert told_in_letters(everything, but=PLANTED["writers_email"]) == IN_LETTERS
    assert told_in_letters(everything, to=f"{story.therapist_id}@example.org") == set()
    assert told_in_letters(everything, to=PLANTED["writers_email"]) <= {"writers_email", "writers_call_as", "writer"}
    leeward(everything, "backup", "--to", str(everything.backup), "--keys-to", str(everything.folder / "key-copies"))
    everything.unpack_backup()
    content = personal_record(everything)
    assert content.hex().encode() in copies_of_intake(everything) or content in copies_of_intake(everything)
    assert everything.search() == []

    reference = str(story.receipt.reference)
    leeward(everything, "hold", "place", reference, "--reason", "police_request")
    erase = ("erase", reference, "--reason", "client_asked", "--anyway", "--yes")
    leeward(everything, *erase, refused="is on legal hold")
    leeward(everything, "hold", "lift", reference, "--reason", "matter_closed")
    untold = bury_a_letter_about_nobody_known(everything)
    assert f"leeward dead show {untold}" in leeward(everything, *erase)

    def is_confirmed() -> bool:
        return not everything.system.rpc.call("intake", "erasure", reference=reference).get("waiting_for")

    eventually(is_confirmed, "every service has forgotten and says so")
    assert everything.search() == []
    for service in ("notifications", "console"):
        assert dead_letters(everything, service) == 0, "what was sealed about them is no longer there to be opened"
    assert_unreadable(everything, ReferralId(UUID(story.referral_id)), content)
    on_record = json.loads(leeward(everything, "audit", "show", reference, "--json"))
    done = [one["what"] for one in on_record if one["what"] != "commanded"]
    assert done == ["read", "held", "hold_lifted", "erased"]
    commanded = sum(one["what"] == "commanded" and one["service"] == "intake" for one in on_record)
    verdicts = json.loads(leeward(everything, "audit", "verify", "--json"))
    # The operator's two are the letters that were discarded, of notifications and of the console.
    assert [verdicts[name]["entries"] for name in ("operator", "intake", "billing")] == [2, 3 + commanded, 0]


def told_in_letters(everything: Everything, *, to: str = "", but: str = "") -> set[str]:
    """Which planted values stand in the letters to somebody, or in all those to others."""
    letters = dict(files_under(everything.system.workspace.mail))
    addressed = {name: letter for name, letter in letters.items() if to.encode() in letter}
    wanted = {name: letter for name, letter in addressed.items() if not but or but.encode() not in letter}
    assert wanted
    return {one.field for one in everything.planted.search_all(wanted.items())}


def copies_of_intake(everything: Everything) -> bytes:
    return b"".join(path.read_bytes() for path in everything.backup.glob("intake.*"))


def personal_record(everything: Everything) -> bytes:
    """What intake keeps of the one client there is, as every backup has it."""
    with Session(open_engine(everything.system.workspace.stores()["intake"])) as session:
        content: bytes = session.execute(select(tables.personal_records.c.content)).scalar_one()
    return content


def assert_unreadable(everything: Everything, referral_id: ReferralId, content: bytes) -> None:
    """What a backup has of the client can't be opened with the keys there are now, nor is it in the database."""
    values = everything.system.workspace.values()
    vault = Vault(tables.data_keys, str(values["INTAKE_MASTER_KEY"]))
    with Session(open_engine(str(values["INTAKE_DATABASE_URL"]))) as session:
        assert session.execute(select(tables.personal_records)).all() == []
        with pytest.raises(Erased):
            vault.decrypt(session, referral_id, HelpForm, content)


@pytest.mark.parametrize(
    "encode", [str.encode, lambda one: one.encode("utf-16-le"), lambda one: one.encode().hex().encode()]
)
def test_the_search_finds_a_leak(tmp_path: Path, encode: object) -> None:
    (tmp_path / "log").mkdir()
    assert callable(encode)
    (tmp_path / "log" / "intake.log").write_bytes(b"before" + encode(PLANTED["hopes"]) + b"after")
    assert {one.field for one in Planted(PLANTED).search_all(files_under(tmp_path))} == {"hopes"}
