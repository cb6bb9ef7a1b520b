"""What ``explain`` found, as data: made by ``harness.explain``, printed by reports. No TensorFlow.

An explanation is about one cell. It says which tensors are not bit-identical to eager's, who of the
two is right, which cause was found for which tensor, with the evidence of the experiment that found
it, and what was excluded by experiment.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from harness.record import TensorComparison

# The causes, by the word that the terminal and the tests use.
GRAPPLER = "grappler"
XLA = "xla"
ONEDNN = "onednn"
THREADS = "threads"
NONDETERMINISM = "nondeterminism"
TRACE_TIME = "trace-time side effect"
RANDOM_STREAMS = "random streams"
DTYPE = "dtype promotion"
SHAPE = "unknown shape"
MODE_BRANCH = "asks for the mode"
RETRACE = "retrace per call"
UNEQUAL_WORK = "unequal work"
CAUSES = (
    GRAPPLER,
    XLA,
    ONEDNN,
    THREADS,
    NONDETERMINISM,
    TRACE_TIME,
    RANDOM_STREAMS,
    DTYPE,
    SHAPE,
    MODE_BRANCH,
    RETRACE,
    UNEQUAL_WORK,
)

Key = tuple[str, str]
"""A tensor: its kind (``output`` or ``variable``) and name."""


@dataclass(frozen=True)
class Accuracy:
    """One mode's value of an element, and how near it is to the oracle's."""

    mode: str
    value: str
    ulp: float | None
    """Distance from the oracle rounded to the tensor's dtype; None where that has no meaning."""
    digits: float | None
    """Decimal digits that are right, at most those of the dtype; None for what is not a float."""


@dataclass(frozen=True)
class Judgement:
    """Who is right in the worst element of a tensor: each mode's own error against the oracle."""

    tensor: str
    kind: str
    step: int
    index: tuple[int, ...]
    oracle: str
    sides: tuple[Accuracy, ...]
    verdict: str


@dataclass(frozen=True)
class Cause:
    """Why tensors differ, or why the work does, with the experiment that supports it."""

    name: str
    """One of ``CAUSES``."""
    what: str
    """The cause at hand in a few words, such as the name of the Grappler pass."""
    summary: str
    remedy: str
    tensors: tuple[str, ...] = ()
    where: tuple[str, ...] = ()
    """Lines of the author's files, ``file.py:12: the line``."""
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True)
class Explanation:
    """One cell's disagreement with eager, explained as far as experiments could."""

    cell: str
    word: str
    """The word of parity."""
    reason: str = ""
    tensors: tuple[TensorComparison, ...] = ()
    """Comparisons with eager of those that are not bit-identical."""
    judgements: tuple[Judgement, ...] = ()
    causes: tuple[Cause, ...] = ()
    unexplained: tuple[str, ...] = ()
    """Names of the tensors for which no cause was found."""
    unsteady: tuple[str, ...] = ()
    """Names of the tensors in which a mode disagrees with itself, run anew from the same seeds."""
    excluded: tuple[str, ...] = ()
    """What experiments ruled out, in words."""
    not_tried: tuple[str, ...] = ()
    seconds: float = 0.0

    def named(self, name: str) -> list[Cause]:
        """The causes of that name."""
        return [cause for cause in self.causes if cause.name == name]


@dataclass(frozen=True)
class FreshResult:
    """What a fresh process saw under one condition that a running process cannot take on."""

    condition: str
    """A name of ``harness.explain.fresh.CONDITIONS``."""
    cell: str
    against_eager: dict[str, str] = field(default_factory=dict)
    """By tensor: the word, or ``identical``."""
    eager_again: dict[str, str] = field(default_factory=dict)
    """By tensor: the word of eager's runs against each other."""
    values: dict[str, tuple[str, str]] = field(default_factory=dict)
    """By tensor: the mode's and eager's value of the first element that differs."""
    error: str = ""


def explanation_from(content: dict[str, Any]) -> Explanation:
    """Read an explanation from JSON."""
    return Explanation(
        **{
            **content,
            "tensors": tuple(TensorComparison(**each) for each in content["tensors"]),
            "judgements": tuple(
                Judgement(**{**each, "sides": tuple(Accuracy(**side) for side in each["sides"])})
                for each in content["judgements"]
            ),
            "causes": tuple(_cause_from(each) for each in content["causes"]),
            **{
                name: tuple(content[name])
                for name in ("unexplained", "unsteady", "excluded", "not_tried")
            },
        }
    )


def _cause_from(content: dict[str, Any]) -> Cause:
    lists = ("tensors", "where", "evidence")
    return Cause(**{**content, **{name: tuple(content[name]) for name in lists}})
