"""What the commands say no with."""


class Refusal(Exception):
    """Something that a person can put right; the message says what, and is all that they are shown."""
