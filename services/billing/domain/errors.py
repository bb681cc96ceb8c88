"""The base of every refusal by billing's rules, and how amounts are written in them."""


class RuleBroken(Exception):
    """A rule says no. The subclass is the rule's name, the message tells a person what they can do."""


def pounds(pence: int) -> str:
    """An amount as a person reads it: 123456 is £1,234.56."""
    return f"£{pence / 100:,.2f}"
