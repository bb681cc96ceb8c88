"""What people type, read into one form or not at all: one reader for each kind of thing, wherever it is typed.

The public site, the spreadsheet, the commands and the services use the same ones. A reader returns the value, or raises
`Unreadable` with a stable fault and what its sentence needs; each asks again in words of its own::

    from contracts.typed.money import read_pounds
    read_pounds("£25.50")   # 2550
    read_pounds("25,50")    # raises Unreadable(Fault.MONEY_COMMA)
"""
