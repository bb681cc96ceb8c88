"""The pages that a letter's one-time link leads to: a small set of their own. See docs/decisions/0037."""
