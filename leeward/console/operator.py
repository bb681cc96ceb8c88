"""Who gives commands at the terminal: whoever is logged in on this machine, vouched for by the operators' own key."""

from __future__ import annotations

import os
import pwd
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from chassis.access.actor import Person, SignIn
from chassis.access.tokens import Signer
from chassis.rpc import Sign
from contracts.permissions import CEILINGS, FrontEnd
from leeward.runtime.workspace import Workspace

FACTOR = "machine"
"""Who can read the operators' key is on the machine itself."""


def sign_as_operator(workspace: Workspace, name: str | None = None) -> Sign:
    """Signs commands for whoever is logged in, or for `name` where people are played. Raises NoKey."""
    signer = Signer(workspace.keys, FrontEnd.OPERATOR)
    known_as = re.sub(r"[^A-Za-z0-9._-]", "-", name or login())

    def sign(service: str, command: str, fields: Mapping[str, Any], command_id: UUID | None) -> str:
        signed_in = SignIn(at=datetime.now(UTC), factor=FACTOR)
        person = Person(name=known_as, permissions=CEILINGS[FrontEnd.OPERATOR], signed_in=signed_in)
        return signer.sign(person, service, command, fields, command_id)

    return sign


def login() -> str:
    """Whoever is logged in, as the system knows them: the variables that `getpass` believes anybody can set."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # in a container
        return str(os.getuid())
