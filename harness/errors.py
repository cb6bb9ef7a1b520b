"""The errors that end in one line for the user instead of a traceback."""

from __future__ import annotations


class UsageError(Exception):
    """A user's mistake: what was named, what was seen, what was expected, what to do. Exit 2."""


class ScenarioError(UsageError):
    """A scenario that breaks its contract."""


class NoOracle(Exception):
    """A scenario has nothing independent to be held against; the message is the reason."""


class Unsupported(Exception):
    """A mode cannot run a scenario; the message is the reason."""


class Lost(Exception):
    """A process that a mode works with died or does not answer; the message is the reason.

    ``word`` is ``crashed`` or ``timeout``.
    """

    def __init__(self, word: str, reason: str) -> None:
        super().__init__(reason)
        self.word = word


class Interrupted(Exception):
    """The user asked to stop; what was finished is in the record."""


class NotThere(Exception):
    """A target has no such part, and nobody asked for it by name."""
