"""Whatever a letter links to is there: every link of every template, in every language, is followed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from leeward.runtime.workspace import Workspace
from services.notifications.domain.templates import Template
from services.notifications.gateways.samples import KNOWN, SAMPLES, WITHOUT_SUBJECT
from services.notifications.gateways.templates import Templates
from services.notifications.settings import TEMPLATES
from tests.site.conftest import Browser
from tests.site.test_links import SECRET, keys, reader, services

__all__ = ["keys", "reader", "services"]

WORDING = Templates(TEMPLATES, KNOWN, texts=WITHOUT_SUBJECT)
LANGUAGES = ("en", "cy")
PAGES = {
    Template.SAFEGUARDING_ALERT.value: "alert",
    "alert_text": "alert",
    Template.OFFER.value: "offer",
    Template.INTRODUCTION.value: "client",
    Template.CONTACT_CHANGED.value: "client",
}


def addresses(name: str, language: str, workspace: Workspace) -> dict[str, str | None]:
    """What `leeward up` has letters link to: pages of the public site, and neither a console nor a portal."""
    usual = workspace.links_to("http://testserver")
    status = WORDING.page_in(language, usual["NOTIFICATIONS_STATUS_URL"])
    form = WORDING.page_in(language, usual["NOTIFICATIONS_FORM_URL"]) + SECRET
    link = f"http://testserver/{PAGES[name]}/{SECRET}" if name in PAGES else status
    given = {"status_url": status, "form_link": form, "link": link}
    return {"console_url": None, "portal_url": None} | given


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_every_link_of_every_letter_leads_to_a_page(reader: Browser, tmp_path: Path, name: str, language: str) -> None:
    known = {key: value for key, value in addresses(name, language, Workspace(tmp_path)).items() if key in KNOWN[name]}
    values: dict[str, Any] = {**SAMPLES[name], **known}
    text = WORDING.render(name, values, language=language)
    links = re.findall(r"https?://[^\s)]+", text.body)
    assert len(links) >= len({key for key, value in known.items() if value and key != "status_url"})
    for link in links:
        parts = urlsplit(link)
        assert parts.netloc == "testserver"
        page = reader.open(parts.path)
        assert page.status_code == 200, parts.path.replace(SECRET, "…")
        assert f'<html lang="{language if "/cy/" in link else "en"}"' in page.text
