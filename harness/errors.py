"""The errors that end in one line for the user instead of a traceback."""

from __future__ import annotations

import re
from itertools import pairwise

_SENTENCE = re.compile(r"[.!?](?= [A-Z\"'`(])")
"""The end of a sentence that another one follows."""
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufff9-\ufffb]"
)
"""What would drive a terminal, turn the direction of a line, or be no text in UTF-8."""


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


def sentences(text: str) -> list[str]:
    """The sentences of a text."""
    ends = [match.end() for match in _SENTENCE.finditer(text)]
    return [text[a:b].strip() for a, b in pairwise([0, *ends, len(text)])]


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


def printable(text: str) -> str:
    r"""Text of somebody else's as it can be shown: ``\x1b[2J`` instead of clearing the screen.

    Line breaks and tabs are kept.
    """
    return _UNPRINTABLE.sub(lambda match: ascii(match[0])[1:-1], text)
