"""Letters' links in a real browser on a whole system: a form, an offer and an alert, answered from a telephone."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from chassis.ids import new_id
from contracts.london import LONDON
from leeward.cli import app
from leeward.runtime.local_broker import Node
from leeward.runtime.workspace import SERVICES, Workspace
from tests.site import running
from tests.site.barriers import look_for_barriers
from tests.site.running import Person, RunningSite, running_site
from tests.support.bus import Tap, eventually
from tests.support.samples import PASSPHRASE
from tests.support.story import Story, text_of
from tests.support.system import System, whole_system

PHONE = {"viewport": {"width": 390, "height": 844}}
both_ways = pytest.mark.parametrize("javascript", [True, False], ids=["javascript", "plain"])


@dataclass
class Linked:
    """A whole system, and the site that its letters lead to."""

    system: System
    site: RunningSite


@pytest.fixture(scope="module")
def linked(node: Node, elsewhere: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Linked]:
    folder, site_folder = tmp_path_factory.mktemp("linked"), tmp_path_factory.mktemp("linked-site")
    workspace = Workspace(folder)
    workspace.prepare()
    uri = node.amqp_uri.replace("/%2F", "/linked")
    with running_site(site_folder, amqp_uri=uri, enquiry_uri=uri, keys=workspace.keys, exit_url=elsewhere) as site:
        settings = {
            "EVALUATION_CLIENT_INSTRUMENT": "how-it-goes",
            "NOTIFICATIONS_FORM_URL": f"{site.address}/form/",
        }
        with whole_system(node, folder, name="linked", server=None, settings=settings) as system:
            yield Linked(system, site)


@pytest.fixture
def story(linked: Linked) -> Iterator[Story]:
    with Tap(linked.system.amqp_uri, ["intake", "matching", "billing", "evaluation", "notifications"]) as tap:
        yield Story(linked.system, tap)


def link_in(letter: str, site: RunningSite) -> str:
    (found,) = re.findall(rf"{re.escape(site.address)}(/[a-z]+/[A-Za-z0-9_-]+)", letter)
    return str(found)


def look(somebody: Person, javascript: bool) -> None:
    """Axe is a script itself; without scripts the page is the same."""
    if javascript:
        look_for_barriers(somebody.page)


def follow(story: Story, somebody: Person, to: str, containing: str, *, javascript: bool = True) -> str:
    """Opens the link in a letter."""
    link = link_in(story.letter_to(to, containing), somebody.site)
    somebody.open(link)
    assert link.rpartition("/")[2] not in somebody.page.url
    look(somebody, javascript)
    return link


def clients_letter(story: Story, reference: str) -> str:
    """The one that leads to a form: all that it says is a reference and a link."""

    def found() -> str | None:
        letters = map(text_of, story.letters_to("robin@example.org"))
        return next((one for one in letters if reference in one and "/form/" in one), None)

    letter: str = eventually(found, "a letter that leads the client to a form")
    return letter


def offered(story: Story) -> str:
    """A referral that was offered; whom to look for letters to."""
    story.admit_therapist()
    story.ask_for_help()
    story.assess()
    story.heard("TherapistOffered")
    return f"{story.therapist_id}@example.org"


@both_ways
def test_an_offer_is_accepted_and_the_form_of_the_start_is_filled_in(
    linked: Linked, story: Story, person: Callable[..., Person], javascript: bool
) -> None:
    address = offered(story)
    therapist = person(linked.site, java_script_enabled=javascript, **PHONE)
    link = follow(story, therapist, address, "Would you have room", javascript=javascript)
    assert "£60 a session" in therapist.says()
    therapist.page.keyboard.press("Tab")
    therapist.go_on()
    assert "You have accepted" in therapist.says()
    look(therapist, javascript)
    story.heard("TherapistMatched")
    therapist.open(link)
    assert "You have accepted" in therapist.says(), "the link shows the outcome"

    form = follow(story, therapist, address, "short form about your work", javascript=javascript)
    therapist.page.get_by_text("All questions on one page").click()
    look(therapist, javascript)
    for item in therapist.page.locator("fieldset").all():
        item.get_by_text("Mostly").click()
    therapist.go_on()
    assert "Thank you. We have your answers" in therapist.says()
    submitted = story.heard("EvaluationSubmitted", respondent="therapist")
    assert submitted["score"] == 18
    therapist.open(form)
    assert "Thank you. We have your answers" in therapist.says()
    look(therapist, javascript)
    log = linked.site.log.read_text()
    assert not {one.rpartition("/")[2] for one in (link, form)} & set(re.findall(r"[A-Za-z0-9_-]{22}", log))


@both_ways
def test_an_offer_is_declined_with_a_reason(
    linked: Linked, story: Story, person: Callable[..., Person], javascript: bool
) -> None:
    address = offered(story)
    therapist = person(linked.site, java_script_enabled=javascript, **PHONE)
    follow(story, therapist, address, "Would you have room", javascript=javascript)
    therapist.page.get_by_text("No, I decline").click()
    look(therapist, javascript)
    therapist.go_on()
    assert therapist.page.title().startswith("Error: ")
    look(therapist, javascript)
    therapist.page.get_by_label("outside my experience").check()
    therapist.go_on()
    assert "You have declined" in therapist.says()
    assert story.heard("OfferDeclined")["reason"] == "outside_experience"


def test_a_client_fills_a_form_in_with_the_keyboard_alone_and_a_worrying_answer_is_brought_to_a_person(
    linked: Linked, story: Story, person: Callable[..., Person]
) -> None:
    offered(story)
    story.accept()
    client = person(linked.site, **PHONE)
    reference = story.receipt.reference
    assert reference
    client.open(link_in(clients_letter(story, reference), linked.site))
    look_for_barriers(client.page)
    press = client.page.keyboard.press
    client.page.get_by_role("link", name="One question at a time").focus()
    with client.page.expect_navigation():
        press("Enter")
    for number in range(1, 11):
        assert f"Question {number} of 10" in client.says()
        if number in (1, 6):
            look_for_barriers(client.page)
        client.page.locator("main input[type=radio]").first.focus()
        press("Space")
        for _ in range(2 if number == 6 else 0):
            press("ArrowDown")
        client.page.get_by_role("button", name="Continue").focus()
        with client.page.expect_navigation():
            press("Enter")
    look_for_barriers(client.page)
    client.page.get_by_role("button", name="Send my answers").focus()
    with client.page.expect_navigation():
        press("Enter")
    assert "Thank you. We have your answers" in client.says()
    assert "Samaritans" in client.says()
    concern = story.heard("SafeguardingConcernRaised", category="risk_to_self")
    assert concern["referral_id"] == story.referral_id


@both_ways
def test_an_alert_is_taken_in_hand_on_a_telephone(
    linked: Linked, story: Story, person: Callable[..., Person], javascript: bool
) -> None:
    story.ask_for_help(identifiable_person_at_risk=True)
    concern = story.heard("SafeguardingConcernRaised")
    lead = person(linked.site, java_script_enabled=javascript, **PHONE)
    link = follow(story, lead, "duty-lead@example.org", concern["concern_id"], javascript=javascript)
    assert "You go on record as Duty lead" in lead.says()
    assert json.dumps(story.system.rpc.call("notifications", "alerts")).count(concern["concern_id"]) == 1
    lead.go_on()
    assert "Duty lead has this in hand" in lead.says()
    look(lead, javascript)
    assert concern["concern_id"] not in json.dumps(story.system.rpc.call("notifications", "alerts"))
    another = person(linked.site, java_script_enabled=javascript, **PHONE)
    another.open(link)
    assert "Duty lead has this in hand" in another.says()


MOBILE, SENT_TO = "07700 900 432", "+447700900432"


def texts(system: System) -> list[tuple[str, str]]:
    """To which number, and what: the folder that stands for the gateway of text messages."""
    written = [path.read_text() for path in (system.workspace.folder / "texts").glob("*.txt")]
    return [(to, text) for to, _, text in (one.partition("\n\n") for one in written)]


def code_from(story: Story, before: set[str]) -> str:
    """The code in the text message that has come since."""

    def found() -> str | None:
        codes = {text[:6] for to, text in texts(story.system) if to == SENT_TO and text[:6].isdigit()}
        return next(iter(codes - before), None)

    code: str = eventually(found, "a code comes by text message")
    return code


def come_in(story: Story, therapist: Person, *, javascript: bool = True) -> str:
    """Asks for a code, reads it on the telephone and types it."""
    before = {text[:6] for _, text in texts(story.system)}
    press(therapist, "Send me a code")
    look(therapist, javascript)
    code = code_from(story, before)
    therapist.page.fill("#code", code)
    press(therapist, "Continue")
    return code


def press(somebody: Person, name: str) -> None:
    with somebody.page.expect_navigation():
        somebody.page.get_by_role("button", name=name).click()


def report(therapist: Person, what: str, *, day: date | None = None, why: str = "", javascript: bool = True) -> None:
    therapist.page.get_by_text("Tell us how it goes on").click()
    look(therapist, javascript)
    therapist.page.get_by_label(what).check()
    for part in ("day", "month", "year") if day else ():
        therapist.page.fill(f"#{part}", str(getattr(day, part)))
    if why:
        therapist.page.get_by_label(why).check()
    press(therapist, "Send")


def see_the_client(story: Story, therapist: Person, to: str, *, address: str, reference: str) -> None:
    """Opens the introduction's link, types the code, sees how the client is reached, and records the first session."""
    link = follow(story, therapist, to, f"Reference {reference}")
    assert address not in story.letter_to(to, f"Reference {reference}")
    assert address not in therapist.says()
    code = come_in(story, therapist)
    assert code not in therapist.page.url
    look_for_barriers(therapist.page)
    for told in (address, reference):
        assert told in therapist.says()
    report(therapist, "first session", day=datetime.now(LONDON).date())
    assert story.heard("FirstSessionAttended")["therapist_id"] == str(story.therapist_id)
    assert "First session\nNot yet" not in therapist.says()
    another = Person(therapist.page.context.browser.new_context(), therapist.site)  # type: ignore[union-attr]
    another.open(link)
    assert address not in another.says()
    another.page.context.close()


def introduced(story: Story) -> tuple[str, str]:
    """A client who was introduced; to whom, and the reference."""
    story.admit_therapist(telephone=MOBILE)
    story.ask_for_help()
    story.assess()
    story.accept()
    assert story.receipt.reference
    return f"{story.therapist_id}@example.org", story.receipt.reference


@both_ways
def test_a_client_is_seen_after_a_code_and_what_is_said_of_them_is_recorded(
    linked: Linked, story: Story, person: Callable[..., Person], javascript: bool
) -> None:
    to, reference = introduced(story)
    narrow = {"viewport": {"width": 320, "height": 640}}
    therapist = person(linked.site, java_script_enabled=javascript, **narrow)
    link = follow(story, therapist, to, f"Reference {reference}", javascript=javascript)
    assert "Robin" not in therapist.says()
    assert therapist.page.title() == "Answer"
    press(therapist, "Send me a code")
    therapist.page.fill("#code", "000000" if code_from(story, set()) != "000000" else "111111")
    press(therapist, "Continue")
    assert therapist.page.title().startswith("Error: ")
    look(therapist, javascript)
    before = {text[:6] for _, text in texts(story.system)}
    press(therapist, "Send me a new code")
    code = code_from(story, before)
    therapist.page.fill("#code", code)
    press(therapist, "Continue")
    assert "robin@example.org" in therapist.says()
    look(therapist, javascript)
    assert therapist.page.evaluate("document.documentElement.scrollWidth") <= 320 if javascript else True

    today = datetime.now(LONDON).date()
    report(therapist, "made contact", day=today + timedelta(days=1), javascript=javascript)
    assert "That day is still to come" in therapist.says()
    look(therapist, javascript)
    therapist.page.fill("#day", str(today.day))
    therapist.page.fill("#month", str(today.month))
    therapist.page.fill("#year", str(today.year))
    press(therapist, "Send")
    assert "Contact made\nNot yet" not in therapist.says()
    report(therapist, "did not attend", javascript=javascript)
    assert "They did not attend" in therapist.says()
    assert story.heard("ReferralFeeCredited")["reason"] == "not_attended"
    report(therapist, "work has ended", why="see somebody else", javascript=javascript)
    assert "Your work with this client has ended" in therapist.says()
    look(therapist, javascript)
    assert story.heard("MatchEnded")["reason"] == "client_unhappy"
    therapist.open(link)
    assert "robin@example.org" not in therapist.says()

    shown = CliRunner().invoke(
        app,
        ["audit", "show", reference, "--json", "--var", str(story.system.workspace.folder)],
        env={"AMQP_URI": story.system.amqp_uri},
    )
    read = [one for one in json.loads(shown.stdout) if one["what"] == "read"]
    assert {(one["who"], one["reason"]) for one in read} == {(f"therapist {story.therapist_id}", "introduction")}
    logs = [linked.site.log, *story.system.workspace.log("").parent.glob("*.log")]
    for secret in (code, link.rpartition("/")[2]):
        assert not [path.name for path in logs if re.search(rf"(?<![0-9a-f]){secret}\b", path.read_text())]


def test_the_whole_journey_goes_by_the_site_and_the_letters_alone(
    linked: Linked, story: Story, person: Callable[..., Person], monkeypatch: pytest.MonkeyPatch
) -> None:
    """But for admitting the therapist and assessing the request, which are commands still."""
    address, far_away = f"client-{new_id()}@example.org", "AB10 1AB"
    for name, typed in {"postcode": far_away, "email": address}.items():
        monkeypatch.setitem(running.TYPED, name, typed)
    wanted = {"contact_way": "email", "person_at_risk": "yes", "consent_therapist": "yes", "consent_evaluation": "yes"}
    for name, chosen in wanted.items():
        monkeypatch.setitem(running.CHOSEN, name, chosen)
    story.admit_therapist(telephone=MOBILE, outward_code="AB10")
    client = person(linked.site, **PHONE)
    client.walk_to("self", "/done")
    reference = client.page.locator(".reference").inner_text()
    story.referral_id = story.tap.wait_for("ReferralReceived", lambda _: True).data["referral_id"]
    assert "someone reads what you sent" in story.letter_to(address, reference)
    assert "A request for help has come" in story.letter_to("office@", reference)

    concern = story.heard("SafeguardingConcernRaised", category="person_at_risk")["concern_id"]
    lead = person(linked.site, **PHONE)
    follow(story, lead, "duty-lead@example.org", concern)
    assert reference in lead.says()
    story.assess()
    lead.go_on()
    assert "has this in hand" in lead.says()

    therapists = f"{story.therapist_id}@example.org"
    therapist = person(linked.site, **PHONE)
    follow(story, therapist, therapists, "Would you have room")
    assert reference not in therapist.says()
    therapist.go_on()
    assert "You have accepted" in therapist.says()
    see_the_client(story, therapist, therapists, address=address, reference=reference)
    assert "a therapist has agreed to see you" in story.letter_to(address, "good news")

    client.open(link_in(story.letter_to(address, "/form/"), linked.site))
    client.page.get_by_text("All questions on one page").click()
    for item in client.page.locator("fieldset").all():
        item.locator("input[type=radio]").first.check()
    client.go_on()
    assert "Thank you. We have your answers" in client.says()

    client.open("/withdraw")
    client.page.fill("[name=reference]", reference)
    client.page.fill("[name=passphrase]", running.PASSPHRASE)
    client.go_on()
    assert "has been taken back" in story.letter_to(address, "has been taken back")
    assert story.heard("MatchEnded")["reason"] == "withdrawn"


def test_no_secret_lies_in_any_log(linked: Linked, story: Story, person: Callable[..., Person]) -> None:
    address = offered(story)
    therapist = person(linked.site, **PHONE)
    secret = follow(story, therapist, address, "Would you have room").rpartition("/")[2]
    therapist.go_on()
    folder: Path = linked.system.workspace.log("").parent
    logs = [linked.site.log, *folder.glob("*.log")]
    assert len(logs) == 1 + len(SERVICES)
    assert not [path.name for path in logs if secret in path.read_text(errors="replace")]


@both_ways
def test_somebody_changes_how_they_are_reached_and_takes_the_request_back(
    linked: Linked, story: Story, person: Callable[..., Person], javascript: bool
) -> None:
    story.ask_for_help()
    narrow = {"viewport": {"width": 320, "height": 640}}
    somebody = person(linked.site, java_script_enabled=javascript, **narrow)
    somebody.open("/request")
    somebody.page.fill("#reference", str(story.receipt.reference))
    somebody.page.fill("#passphrase", PASSPHRASE)
    press(somebody, "Look")
    assert "We have your request" in somebody.says()
    look(somebody, javascript)
    somebody.page.get_by_text("Change how we reach you").click()
    look(somebody, javascript)
    press(somebody, "Continue")
    assert somebody.page.title().startswith("Error: ")
    look(somebody, javascript)
    new = f"{story.receipt.reference}@example.org".lower()
    for answer in ("By email", new, "At any time", "No", "Sam", "No, or I am not sure"):
        if answer in (new, "Sam"):
            somebody.page.locator("main input:not([type=hidden])").fill(answer)
        else:
            somebody.page.get_by_label(answer, exact=True).check()
        press(somebody, "Continue")
        look(somebody, javascript)
    look(somebody, javascript)
    code = re.search(r"your code is ([0-9]{6})", story.letter_to(new, "your code is"))
    assert code
    somebody.page.fill("#code", code[1])
    press(somebody, "Continue")
    assert "From now on we reach you in the new way" in somebody.says()
    look(somebody, javascript)
    assert somebody.page.evaluate("document.documentElement.scrollWidth") <= 320 if javascript else True
    somebody.page.get_by_role("main").get_by_text("Take the request back").click()
    look(somebody, javascript)
    press(somebody, "Take it back")
    assert "Thank you for telling us" in somebody.says()
    story.heard("ReferralWithdrawn")
    assert str(story.receipt.reference) in story.letter_to(new, "There is something for you to read")
