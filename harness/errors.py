"""The errors that end in one line for the user instead of a traceback."""

from __future__ import annotations


class UsageError(Exception):
    """A user's mistake: what was named, what was seen, what was expected, what to do. Exit 2."""


class ScenarioError(UsageError):
    """A scenario that breaks its contract."""


class Unsupported(Exception):
    """A mode cannot run a scenario; the message is the reason."""


class CellFailed(Exception):
    """What became of a cell in another process: the word for it, and the reason in one line."""

    def __init__(self, word: str, reason: str) -> None:
        super().__init__(reason)
        self.word = word


class Interrupted(Exception):
    """The user asked to stop; what was finished is in the record."""
