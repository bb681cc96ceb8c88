"""What the last page says of who is got in touch with is true for whoever reads it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from contracts.sealed import SafeChannel, SafeContact, Writer
from contracts.vocabulary import Known
from tests.support.samples import submission
from web.site.pages.submit import CLIENT_CALLS, CLIENT_TOO, CLIENT_UNASKED, WRITER, outlook_of

REACHED = SafeContact(channel=SafeChannel.EMAIL, email="robin@example.org")
CALLS = SafeContact(channel=SafeChannel.CLIENT_CALLS)
OFFICER = Writer(
    name="Pat Officer",
    contact=SafeContact(channel=SafeChannel.TELEPHONE, telephone="01632 960123"),
    client_agrees=Known.YES,
)


@pytest.mark.parametrize(
    ("contact", "writer", "said"),
    [
        (REACHED, None, set()),
        (CALLS, None, {CLIENT_CALLS}),
        (REACHED, OFFICER, {WRITER, CLIENT_TOO}),
        (CALLS, OFFICER, {WRITER}),
        (REACHED, replace(OFFICER, client_agrees=Known.NO), {WRITER, CLIENT_UNASKED}),
    ],
)
def test_who_is_got_in_touch_with(contact: SafeContact, writer: Writer | None, said: set[str]) -> None:
    asked = submission(contact=contact, written_by=writer)
    assert set(outlook_of(asked)) & {WRITER, CLIENT_TOO, CLIENT_UNASKED, CLIENT_CALLS} == said
