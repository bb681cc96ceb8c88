"""The record of what people did that can't be undone: one JSON object a line, only ever added to."""

from __future__ import annotations

import getpass
import json
import os
from datetime import datetime
from pathlib import Path
from typing import Any


def put_on_record(path: Path, *, did: str, at: datetime, **about: Any) -> None:
    """Adds a line, and returns when it is on the disk. `about` holds identifiers, codes and the given reason."""
    line = json.dumps({"at": at.isoformat(), "who": getpass.getuser(), "did": did, **about})
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(line + "\n")
        file.flush()
        os.fsync(file.fileno())
