"""What matching's handlers find as `unit.tools`."""

from __future__ import annotations

from dataclasses import dataclass

from chassis.config import Env
from services.matching import settings
from services.matching.gateways.places import OutwardCodes


@dataclass(frozen=True)
class Tools:
    """Settings and gateways, made once at the start."""

    settings: settings.MatchingSettings
    places: OutwardCodes


def build(env: Env) -> Tools:
    return Tools(settings=settings.read(env), places=OutwardCodes())
