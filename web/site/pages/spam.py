"""What makes a submission look like spam. Told to intake in codes and never refused: a person looks."""

from __future__ import annotations

from datetime import datetime

from web.site.sessions import Session
from web.site.visit import Visit

TRAP = "website"
"""A field that no person sees."""


def is_trapped(visit: Visit) -> bool:
    return bool(visit.first(TRAP))


def suspicions(visit: Visit, session: Session) -> list[str]:
    """The codes for this submission. Counts it."""
    took = visit.site.clock.now() - datetime.fromisoformat(session.started_at)
    found = {
        "honeypot": is_trapped(visit) or "honeypot" in session.suspected,
        "too_fast": took < visit.site.settings.least_time,
        "too_many": visit.site.sends.is_exceeded(visit.who),
    }
    return [code for code, suspected in found.items() if suspected]
