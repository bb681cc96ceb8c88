"""Signs of spam in a submission. They are sent to intake as codes, where a person decides; nothing is refused here."""

from __future__ import annotations

from datetime import datetime

from web.site.sessions import Session
from web.site.visit import Visit

TRAP = "website"
"""A hidden field that only bots fill in (a honeypot)."""


def is_trapped(visit: Visit) -> bool:
    return bool(visit.first(TRAP))


def suspicions(visit: Visit, session: Session) -> list[str]:
    """The codes for this submission, which is counted for the hourly limit."""
    took = visit.site.clock.now() - datetime.fromisoformat(session.started_at)
    found = {
        "honeypot": is_trapped(visit) or "honeypot" in session.suspected,
        "too_fast": took < visit.site.settings.least_time,
        "too_many": visit.site.sends.record_hit(visit.who),
    }
    return [code for code, suspected in found.items() if suspected]
