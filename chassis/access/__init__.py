"""Who gives a command, and whether they may."""
