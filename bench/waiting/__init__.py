"""Everybody in the measurement of the waiting list."""
