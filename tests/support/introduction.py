"""A therapist at the page of an introduction, as the site asks for them."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from chassis.privacy.ephemeral_key import OneTimeKey
from chassis.privacy.one_time_links import new_token
from contracts.commands.notifications import ClientPage, GivenCode
from contracts.sealed import ClientContact, ClientLink, OneTimeCode, TherapyAnswer, TypedCode
from contracts.shape import Shape
from contracts.vocabulary import MatchEndReason, TherapyReport
from tests.support.bus import eventually
from tests.support.story import Story

MOBILE = "07700 900 432"


class Visitor:
    """Whoever has the link of the newest letter that introduces this story's client."""

    def __init__(self, story: Story) -> None:
        self.story, self.right = story, new_token()
        self.letter = story.letter_to(f"{story.therapist_id}@example.org", "/client/")
        (self.secret,) = re.findall(r"/client/([A-Za-z0-9_-]{22})\b", self.letter)

    def look(self, key: OneTimeKey | None = None) -> ClientPage:
        more = {"seal_to": key.public} if key else {}
        return self._ask("open_client", ClientLink(token=self.secret, right=self.right), **more)

    def read(self) -> ClientContact | None:
        key = OneTimeKey()
        client = self.look(key).client
        return key.open(ClientContact, client) if client else None

    def code_by_text(self) -> str:
        """Asks for a code, and reads it on the telephone."""
        folder = self.story.system.workspace.folder / "texts"
        before = set(folder.glob("*.txt"))
        assert self._ask("send_client_code", ClientLink(token=self.secret)).code_until
        came = eventually(lambda: set(folder.glob("*.txt")) - before, "a code comes by text message")
        (code,) = re.findall(r"^[0-9]{6}\b", came.pop().read_text().partition("\n\n")[2])
        return str(code)

    def code_by_telephone(self) -> str:
        """Rings the office."""
        key = OneTimeKey()
        asked = {"check": "called_back", "seal_to": key.public}
        given = self.story.system.rpc.call(
            "notifications", "give_client_code", referral_id=self.story.referral_id, **asked
        )
        return key.open(OneTimeCode, GivenCode.from_json(given).sealed).code

    def type(self, code: str) -> bool:
        return self._ask("enter_client_code", TypedCode(token=self.secret, code=code, right=self.right)).is_known

    def say(self, what: TherapyReport, *, on: date | None = None, reason: MatchEndReason | None = None) -> None:
        said = TherapyAnswer(token=self.secret, right=self.right, what=what, on=on, reason=reason)
        assert self.story.system.publisher.report_therapy(said).delivered

    def _ask(self, command: str, secret: Shape, **more: Any) -> ClientPage:
        sealed = self.story.system.keyring.seal("notifications", secret)
        return ClientPage.from_json(self.story.system.site_rpc.call("notifications", command, sealed=sealed, **more))
