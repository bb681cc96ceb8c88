"""The names of matching's timers, as they stand in the database."""

from __future__ import annotations

EXPIRE_OFFER = "expire_offer"
STALLED = "stalled"
SERVE_WAITING_LIST = "serve_waiting_list"
COME_BACK = "come_back"
RELEASED = "released"
