"""The words of accounts that the console's events use."""

from __future__ import annotations

from enum import StrEnum
from typing import NewType
from uuid import UUID

AccountId = NewType("AccountId", UUID)


class StaffMatter(StrEnum):
    """What people with accounts are told of by a letter."""

    RECOVERY_CODE_USED = "recovery_code_used"
    ACCOUNT_RENEWED = "account_renewed"
    ROLE_GRANTED = "role_granted"
    CONFIRMATION_NEEDED = "confirmation_needed"
