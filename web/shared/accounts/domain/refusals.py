"""What accounts don't allow, in words that a person can act on."""

from __future__ import annotations

from contracts.refused import Refused


class AccountRefused(Refused):
    """Something that isn't done with an account; the message says why, and what can be done."""


class EmailTaken(AccountRefused):
    def __init__(self) -> None:
        super().__init__("Somebody has an account with this e-mail address already.")


class GrantToYourself(AccountRefused):
    def __init__(self) -> None:
        super().__init__("Nobody gives a role to themself. Ask another administrator.")


class AlreadyGranted(AccountRefused):
    def __init__(self) -> None:
        super().__init__("They have this role already, or it waits to be confirmed.")


class SecondPersonNeeded(AccountRefused):
    def __init__(self) -> None:
        super().__init__("Somebody else has to confirm this: not who gave the role, and not who gets it.")


class SomebodyElseConfirms(AccountRefused):
    def __init__(self) -> None:
        super().__init__("Nobody confirms what they prepared themself. Ask a colleague who may confirm it.")


class NothingWaits(AccountRefused):
    def __init__(self) -> None:
        super().__init__("Nothing waits here to be confirmed. Somebody else may have decided it meanwhile.")


class LastAdministrator(AccountRefused):
    def __init__(self) -> None:
        super().__init__("This is the last administrator. Give somebody else that role first.")


class NotOfStaff(AccountRefused):
    def __init__(self) -> None:
        super().__init__("This role isn't one that accounts here can have.")


class WrongState(AccountRefused):
    def __init__(self) -> None:
        super().__init__("The account isn't in a state in which this can be done. Somebody else may have changed it.")


class LinkUsedUp(AccountRefused):
    def __init__(self) -> None:
        super().__init__("This link was used, was replaced by a newer one, or its time is over. Ask for a new one.")


class SessionEnded(AccountRefused):
    def __init__(self) -> None:
        super().__init__("You were signed out meanwhile, or set something up elsewhere. Please sign in again.")


class CodeUsedUp(AccountRefused):
    def __init__(self) -> None:
        super().__init__("This code can’t be typed any more. Have another test letter sent.")


class NameOfViewTaken(AccountRefused):
    def __init__(self) -> None:
        super().__init__("You have a view of this name already. Choose another name, or delete that one first.")


class TooManyViews(AccountRefused):
    def __init__(self) -> None:
        super().__init__("You have 20 saved views, and there is no room for more. Delete one that you don’t need.")


class LastFactor(AccountRefused):
    def __init__(self) -> None:
        super().__init__("This is your only second step. Add another app or passkey first.")


class NotSole(AccountRefused):
    def __init__(self) -> None:
        super().__init__("There is another administrator who can send a new link, so nothing needs to be recovered.")


class NoAdministrator(AccountRefused):
    def __init__(self) -> None:
        super().__init__("There are accounts, and none of them is an active administrator's.")


class NoSuchAccount(AccountRefused):
    def __init__(self) -> None:
        super().__init__("There is no such account.")
