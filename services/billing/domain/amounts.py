"""How amounts are written for people."""


def pounds(pence: int) -> str:
    """An amount as a person reads it: 123456 is £1,234.56."""
    return f"£{pence / 100:,.2f}"
