"""The errors that end in one line for the user instead of a traceback."""

from __future__ import annotations

import re

_SENTENCE = re.compile(r"[.!?](?= [A-Z\"'`(])")
"""The end of a sentence that another one follows."""


class UsageError(Exception):
    """A user's mistake: what was named, what was seen, what was expected, what to do. Exit 2."""


class ScenarioError(UsageError):
    """A scenario that breaks its contract."""


class CallRaised(ScenarioError):
    """A user's function raised in its first call; ``__cause__`` is its exception."""


class NoReference(Exception):
    """A scenario has nothing independent to be held against; the message is the reason."""


NoOracle = NoReference
"""The name of ``NoReference`` until 0.1; scenarios written for it still run."""


class Unsupported(Exception):
    """A mode cannot run a scenario; the message is the reason."""


class WorkerLost(Exception):
    """A process that a mode works with died or does not answer; the message is the reason.

    ``status`` is ``crashed`` or ``timeout``.
    """

    def __init__(self, status: str, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class Interrupted(Exception):
    """The user asked to stop; what was finished is in the record."""


class PartNotFound(Exception):
    """A target has no such part, and nobody asked for it by name."""


def one_line(error: object, limit: int = 300) -> str:
    """The text of an error without line breaks.

    A text of more than ``limit`` characters is cut after the last whole sentence within the limit;
    where the first sentence is longer, it is the result: no sentence is cut.
    """
    text = " ".join(str(error).split())
    ends = [match.end() for match in _SENTENCE.finditer(text)]
    if len(text) <= limit or not ends:
        return text
    return text[: max((end for end in ends if end <= limit), default=ends[0])]
