"""What a message says, told to people of the charity without what only its reader is to know."""

from __future__ import annotations

from typing import Any

from chassis.ports import UnitOfWork
from contracts.commands.notifications import Wording
from services.notifications.application.contacts import reference_of
from services.notifications.dependencies import Dependencies
from services.notifications.domain.messages import Message
from services.notifications.domain.templates import Recipient
from services.notifications.gateways.samples import SAMPLES
from services.notifications.gateways.templates import ENGLISH

LEFT_OUT = {
    "link": "(a link of their own)",
    "form_link": "(a link of their own)",
    "code": "(a code)",
    "name": "(their name)",
    "words": "(what one of us wrote, which stands with the notes)",
}


def wording_of(unit: UnitOfWork[Dependencies], message: Message) -> Wording:
    """As it went out, or would go out in full; with what is asked for each time filled in like in a preview."""
    name, language = _template_and_language(message)
    samples = SAMPLES[name]
    values: dict[str, Any] = {
        **samples,
        **{key: value for key, value in message.data.items() if key in samples},
        **{key: words for key, words in LEFT_OUT.items() if samples.get(key)},
    }
    if "reference" in samples:
        values["reference"] = reference_of(unit, message.referral_id) or "(no longer known)"
    text = unit.dependencies.templates.render(name, values, language=language)
    return Wording(subject=text.subject, body=text.body.strip())


def _template_and_language(message: Message) -> tuple[str, str]:
    if message.wording is not None:
        name, language, _ = message.wording.split("/")
        if name in SAMPLES:
            return name, language
    own = message.template.value
    return (message.template.writers_wording or own if message.recipient is Recipient.WRITER else own), ENGLISH
