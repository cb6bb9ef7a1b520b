"""What experiments found of disagreements, as data. Free of TensorFlow.

``child/explain`` makes it, ``explanations.json`` in a run's folder keeps it, reports show it.

An explanation is about one cell. It says which tensors are not bit-identical to eager's, who of the
two is right, which cause was found for which tensor, with the evidence of the experiment that found
it, and what was excluded by experiment.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from eager_vs_graph.results.record import CellId, Status, TensorComparison, Whole

# The causes, by their names in the terminal and the tests.
GRAPPLER = "grappler"
XLA = "xla"
ONEDNN = "onednn"
THREADS = "threads"
NONDETERMINISM = "nondeterminism"
TRACE_TIME = "trace-time side effect"
RANDOM_STREAMS = "random streams"
AUTOGRAPH = "autograph"
RAISES = "one raises"
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
    AUTOGRAPH,
    RAISES,
    DTYPE,
    SHAPE,
    MODE_BRANCH,
    RETRACE,
    UNEQUAL_WORK,
)

# Conditions that need a process of their own, by the words of the report.
DETERMINISM = "op determinism"
ONE_THREAD = "one thread"
NO_ONEDNN = "without oneDNN"

TRIED = "tried as a remedy: "
"""How a line of evidence begins that says what a remedy came to."""

Key = tuple[str, str]
"""A tensor: its kind (``output`` or ``variable``) and name."""


OUT_OF_TIME = "out of time; --explain-timeout gives more"
"""Why an experiment was not made, and what to do."""


@dataclass(frozen=True)
class Accuracy:
    """One mode's value of an element, and how near it is to the reference's."""

    mode: str
    value: str
    ulp: float | None
    """Distance from the reference rounded to the tensor's dtype; None where that has no meaning."""
    digits: float | None
    """Decimal digits that are right, at most those of the dtype; None for what is not a float."""


@dataclass(frozen=True)
class Judgement:
    """Who is right in a tensor's worst element: each mode's own error against the reference."""

    tensor: str
    kind: str
    step: Whole
    index: tuple[Whole, ...]
    reference: str
    sides: tuple[Accuracy, ...]
    verdict: str


@dataclass(frozen=True)
class Profile:
    """One tensor's errors, to be drawn: element by element, by ULP distance, and step by step.

    ``index``, ``value``, ``eager``, ``reference`` and ``ulp`` have an entry for each sample:
    all of a small tensor, the worst and evenly spread ones of a large one.
    """

    tensor: str
    kind: str
    mode: str
    """Whose ``value`` it is; ``eager again`` for eager's second run."""
    step: Whole
    elements: Whole
    """How many elements the tensor has."""
    index: tuple[Whole, ...] = ()
    """Places in the flattened tensor, ascending."""
    value: tuple[str, ...] = ()
    eager: tuple[str, ...] = ()
    reference: tuple[str, ...] = ()
    """Empty where the reference's tensor has another shape."""
    ulp: tuple[float | None, ...] = ()
    """Distance of ``value`` from ``eager``; None where one of them is not finite."""
    histogram: tuple[Whole, ...] = ()
    """Elements of the whole tensor by that distance: 0, 1, 2–3, 4–7, … ULP; the last bin also
    holds what is further apart, and what is finite on one side only."""
    errors: dict[str, tuple[float | None, ...]] = field(default_factory=dict)
    """By side, the largest absolute error against the reference after each step; for outputs of
    a scenario with variables, and for scalars. None where no element is finite."""

    def __post_init__(self) -> None:
        """Raise ``ValueError`` where the samples do not belong together, or are no numbers."""
        columns = (self.value, self.eager, self.ulp, self.reference or self.value)
        if any(len(column) != len(self.index) for column in columns):
            raise ValueError("value, eager, ulp and reference should be as long as index")
        if self.index and not 0 <= min(self.index) <= max(self.index) < self.elements:
            raise ValueError(f"index should have places below elements, {self.elements}")
        if any(count < 0 for count in self.histogram):
            raise ValueError("histogram should have counts")
        for text in (*self.value, *self.eager, *self.reference):
            complex(text)


@dataclass(frozen=True)
class Origin:
    """The first op on the way to a tensor whose value is not eager's, as far as could be seen."""

    tensor: str
    """The tensor whose ops were looked at."""
    step: Whole = 0
    op: str = ""
    """Its type; empty where none was found."""
    line: str = ""
    """The user's line that asks for it, ``file.py:12: the line``."""
    index: tuple[Whole, ...] = ()
    value: str = ""
    """The mode's value of the op's worst element."""
    eager: str = ""
    far: str = ""
    """How far apart the two are, such as ``3 ULP``; empty where they are no near numbers."""
    same_inputs: bool = False
    """Whether all of the op's inputs were seen to be eager's, bit for bit."""
    given: str = ""
    """Where a constant that it is given is another one: both."""
    turn: str = ""
    """Of an op inside of a loop: in which turn of it."""
    hidden: str = ""
    """Line of a loop or branch that it comes out of, and that could not be looked into."""
    seen: str = ""
    """How far could be seen, where no op was found."""

    def text(self, mode: str) -> str:
        """The finding in a line."""
        if not self.op:
            inside = f"; it comes out of {self.hidden}" if self.hidden else ""
            return f"first op that differs: not found ({self.seen}{inside})"
        place = f"[{', '.join(map(str, self.index))}]" if self.index else ""
        far = f" ({self.far})" if self.far else ""
        inputs = "; its inputs are the same, bit for bit" if self.same_inputs else ""
        inputs = f"; {self.given}" if self.given else inputs
        hidden = f"; what it is given comes out of {self.hidden}" if self.hidden else ""
        line = f" at {self.line}" if self.line else ""
        turn = f", {self.turn}" if self.turn else ""
        return (
            f"first op that differs, on the way to {self.tensor} in step {self.step}: "
            f"{self.op}{place}{line}{turn}: eager {self.eager}, {mode} {self.value}{far}"
            f"{inputs or hidden}"
        )


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

    cell: CellId
    status: Status
    """The word of parity."""
    reason: str = ""
    tensors: tuple[TensorComparison, ...] = ()
    """Comparisons with eager of those that are not bit-identical."""
    against_reference: tuple[TensorComparison, ...] = ()
    """Comparisons with the reference of those that are out of tolerance."""
    judgements: tuple[Judgement, ...] = ()
    profiles: tuple[Profile, ...] = ()
    """Of the tensors that are worst apart, the first one's first."""
    causes: tuple[Cause, ...] = ()
    origins: tuple[Origin, ...] = ()
    """The first op that differs, for each kind of cause that has one."""
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
    """Such as ``op determinism``; see ``runs/process_conditions.py``."""
    cell: CellId
    against_eager: dict[str, str] = field(default_factory=dict)
    """By tensor: the word, or ``identical``."""
    eager_again: dict[str, str] = field(default_factory=dict)
    """By tensor: the word of eager's runs against each other."""
    values: dict[str, tuple[str, str]] = field(default_factory=dict)
    """By tensor: the mode's and eager's value of the first element that differs."""
    error: str = ""
