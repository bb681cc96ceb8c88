"""Sample input for a demonstration run. Nothing in it is about a real person."""
