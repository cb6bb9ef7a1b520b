"""A module that is no Python."""
f = (
