"""What somebody typed is shown in a terminal as it is, and does nothing there."""

from __future__ import annotations

import pytest

from contracts.commands.subject import Entry, Fact, Section, Topic
from leeward.commands.referral import _print_sections


def test_what_was_typed_moves_no_cursor_and_is_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    typed = "first line\nsecond \x1b[2J [red]line[/red]\rover"
    _print_sections(
        [Section(topic=Topic.ANSWERS, entries=(Entry(facts=(Fact(what="Hopes", value=typed),)),))], as_json=False
    )
    shown = capsys.readouterr().out
    assert "  Hopes: first line\n    second �[2J [red]line[/red]�over\n" in shown
