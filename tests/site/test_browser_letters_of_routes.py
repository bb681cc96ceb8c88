"""Every route in a real browser on a whole system, and the letters that come of it, read by those whom they reach."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from leeward.runtime.local_broker import Node
from leeward.runtime.workspace import Workspace
from tests.site import running
from tests.site.running import Person, RunningSite, running_site
from tests.support.bus import Tap, eventually
from tests.support.story import Story, text_of
from tests.support.system import System, whole_system

PHONE = {"viewport": {"width": 360, "height": 740}}
LOOKED_UP = "/request"
"""Where a letter leads whoever knows the words to it."""


@dataclass(frozen=True)
class Letters:
    """What one person is sent: a phrase of each letter, the first after the request, the others after the match."""

    to: str
    phrases: tuple[str, ...]
    knows_the_words: bool = True


@dataclass(frozen=True)
class Walk:
    """A route through the form, as one person takes it, and who hears of it."""

    route: str
    letters: tuple[Letters, ...]
    typed: dict[str, str] = field(default_factory=dict)
    chosen: dict[str, str] = field(default_factory=dict)


FOUND, DISCREET = "a therapist has agreed to see you", "There is something for you to read"
OWN = {"contact_way": "email", "say_who": "yes", "consent_therapist": "yes", "person_at_risk": "no"}
WRITES = {
    "writer_contact_way": "email", "writer_say_who": "yes", "client_agrees": "yes", "agreed_how": "in_person",
    "agreed_therapist": "yes", "person_at_risk": "no",
}  # fmt: skip
WALKS = (
    Walk(
        "self",
        (Letters("own-self@example.org", ("someone reads what you sent", FOUND)),),
        {"email": "own-self@example.org"},
        OWN,
    ),
    Walk(
        "family",
        (Letters("own-family@example.org", ("someone reads what you sent", FOUND)),),
        {"email": "own-family@example.org"},
        OWN,
    ),
    Walk(
        "survivor",
        (Letters("own-survivor@example.org", (DISCREET, DISCREET)),),
        {"email": "own-survivor@example.org"},
        OWN | {"say_who": "no"},
    ),
    Walk(
        "professional",
        (
            Letters("officer@example.org", ("we get in touch with them in the way you told us",)),
            Letters("met@example.org", ("Somebody has asked us for help for you", FOUND), knows_the_words=False),
        ),
        {"writer_email": "officer@example.org", "email": "met@example.org"},
        WRITES | {"profession": "probation", "client_group": "at_risk", "contact_way": "email", "say_who": "yes"},
    ),
    Walk(
        "young_person",
        (
            Letters(
                "mother@example.org", ("As you gave us no way to reach them", "a therapist has agreed to see them")
            ),
        ),
        {"writer_email": "mother@example.org", "their_age": "13"},
        WRITES | {"who_writes": "guardian", "agreed_how": "by_guardian"},
    ),
    Walk(
        "in_prison",
        (Letters("sister@example.org", ("we get in touch with them in the way you told us",)),),
        {
            "writer_email": "sister@example.org", "name": "Sam Invented", "prison_number": "A0000AA",
            "prison_name": "HMP Invented", "prison_address": "1 Example Road\nUsk", "postcode": "NP15 1XP",
        },
        WRITES | {"who_writes": "family_or_friend"},
    ),
)  # fmt: skip


@dataclass
class Served:
    """A whole system with the site that its letters lead to, and one therapist who takes everybody."""

    system: System
    site: RunningSite
    story: Story
    known: set[str] = field(default_factory=set)
    """The referrals of the walks so far."""


@pytest.fixture(scope="module")
def served(node: Node, elsewhere: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder, site_folder = tmp_path_factory.mktemp("routes"), tmp_path_factory.mktemp("routes-site")
    workspace = Workspace(folder)
    workspace.prepare()
    uri = node.amqp_uri.replace("/%2F", "/routes")
    with running_site(site_folder, amqp_uri=uri, enquiry_uri=uri, keys=workspace.keys, exit_url=elsewhere) as site:
        settings = {
            "EVALUATION_CLIENT_INSTRUMENT": "how-it-goes",
            "NOTIFICATIONS_FORM_URL": f"{site.address}/form/",
            "NOTIFICATIONS_STATUS_URL": f"{site.address}{LOOKED_UP}",
        }
        with (
            whole_system(node, folder, name="routes", server=None, settings=settings) as system,
            Tap(system.amqp_uri, ["intake", "matching"]) as tap,
        ):
            story = Story(system, tap)
            story.admit_therapist(languages=("en",), places=20)
            yield Served(system, site, story)


def links(letter: str, site: RunningSite) -> list[str]:
    return [link.rstrip(".") for link in re.findall(rf"{re.escape(site.address)}(/\S*)", letter)]


def send(served: Served, somebody: Person, walk: Walk) -> str:
    """Fills the form in and sends it; the reference that the last page shows."""
    somebody.walk_to(walk.route, "/done")
    reference = somebody.page.locator(".reference").inner_text()
    received = served.story.tap.wait_for("ReferralReceived", lambda one: one.data["referral_id"] not in served.known)
    served.story.referral_id = received.data["referral_id"]
    served.known.add(served.story.referral_id)
    assert "A request for help has come" in served.story.letter_to("office@", f"Reference:  {reference}")
    return reference


def accept(served: Served, therapist: Person, reference: str) -> None:
    """The request is assessed, and the therapist accepts it by the letter's link."""
    story = served.story
    if story.system.rpc.call("intake", "awaiting_assessment", limit=100)[-1]["needs_safeguarding_lead"]:
        story.system.rpc.call("intake", "sign_off", referral_id=story.referral_id)
    story.assess()
    offer = story.heard("TherapistOffered")["offer_id"]
    to = f"{story.therapist_id}@example.org"
    letter = story.letter_to(to, f"Offer {offer}")
    (link,) = links(letter, served.site)
    therapist.open(link)
    assert "Would you have room" in therapist.says()
    therapist.go_on()
    story.heard("TherapistMatched")
    (link,) = links(story.letter_to(to, f"Reference {reference}"), served.site)
    therapist.open(link)
    assert "We need to know that it is you" in therapist.says()


def read(served: Served, somebody: Person, letters: Letters, phrase: str, reference: str) -> None:
    """The letter names the request and a way back, and each of its links opens for whoever reads it."""
    letter: str = eventually(lambda: _with(served, letters.to, phrase), f"a letter that says {phrase!r}")
    assert reference in letter
    assert "01632 960001" in letter
    found = links(letter, served.site)
    assert (LOOKED_UP in found) is letters.knows_the_words
    for link in found:
        somebody.open(link)
        assert somebody.page.get_by_role("heading", level=1).inner_text() == "Where does it stand?"


def _with(served: Served, to: str, phrase: str) -> str | None:
    said = (" ".join(text_of(one).split()) for one in served.story.letters_to(to))
    return next((one for one in said if phrase in one), None)


@pytest.mark.parametrize("walk", WALKS, ids=lambda walk: walk.route)
def test_who_hears_of_a_request_and_where_their_letters_lead(
    served: Served, person: Callable[..., Person], monkeypatch: pytest.MonkeyPatch, walk: Walk
) -> None:
    for name, typed in walk.typed.items():
        monkeypatch.setitem(running.TYPED, name, typed)
    for name, chosen in walk.chosen.items():
        monkeypatch.setitem(running.CHOSEN, name, chosen)
    somebody = person(served.site, **PHONE)
    reference = send(served, somebody, walk)
    for letters in walk.letters:
        read(served, somebody, letters, letters.phrases[0], reference)
    accept(served, person(served.site, **PHONE), reference)
    for letters in walk.letters:
        for phrase in letters.phrases[1:]:
            read(served, somebody, letters, phrase, reference)
    if walk.route == "in_prison":
        envelope = "Sam Invented A0000AA\nHMP Invented\n1 Example Road\nUsk\nNP15 1XP\n"
        folder: Path = served.system.workspace.folder / "letters"
        inside = eventually(lambda: [one.read_text() for one in folder.glob("*.txt")], "a letter goes into the prison")
        assert all(letter.startswith(envelope) and DISCREET in letter for letter in inside)
        assert not any(links(letter, served.site) for letter in inside), "nobody inside can open a page"
