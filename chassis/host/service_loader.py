"""Finds a service's class. Importing this module doesn't apply eventlet's monkey patches, so tests may use it."""

from __future__ import annotations

import importlib
import inspect
from typing import Any

from chassis.host.provider import Chassis


class NoSuchService(LookupError):
    """There is no service of this name."""


def load(service: str) -> Any:
    """The nameko class of `services/<service>/service.py`. Raises NoSuchService."""
    try:
        module = importlib.import_module(f"services.{service}.service")
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("services"):
            raise NoSuchService(f"there is no service {service!r}") from None
        raise
    for _, candidate in inspect.getmembers(module, inspect.isclass):
        if getattr(candidate, "name", None) == service and isinstance(getattr(candidate, "chassis", None), Chassis):
            return candidate
    raise NoSuchService(f"services/{service}/service.py holds no service named {service!r}")
