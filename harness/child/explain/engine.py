"""From a scenario to the explanations of its cells: which experiments, in which order."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from eager_vs_graph.child.explain import causes
from eager_vs_graph.child.explain.accuracy import judge
from eager_vs_graph.child.explain.disagreement import Disagreement
from eager_vs_graph.child.explain.experiments import ExperimentRunner, disagreeing, names, rank
from eager_vs_graph.child.explain.profile import profile
from eager_vs_graph.child.explain.source import Source
from eager_vs_graph.child.explain.work import could_be_unequal, measure
from eager_vs_graph.child.explain.work import unequal_work as reasons
from eager_vs_graph.child.parity import check as parity
from eager_vs_graph.child.parity.check import Subject
from eager_vs_graph.modes import BASELINE, MODES
from eager_vs_graph.results.cells import Cell
from eager_vs_graph.results.explanation import Cause, Explanation, FreshResult, Key, Profile
from eager_vs_graph.results.record import (
    AGREEING,
    ERROR,
    IDENTICAL,
    NONDETERMINISTIC,
    UNSUPPORTED,
    CellParity,
    TensorComparison,
)

_FRESH_REPETITIONS = 4
_PROFILES = 3
"""Tensors of a cell that are drawn."""
_RANDOM = (causes.trace_time.find, causes.random_streams.find)
"""What can explain a tensor in which eager disagrees with itself."""


def explain(
    subject: Subject, cells: Sequence[Cell], deadline: float, starting: Callable[[Cell], None]
) -> Iterator[Explanation]:
    """Find the word of every cell as parity does, and the causes of what is not identical.

    Args:
        subject: the scenario and size of all the cells.
        cells: the cells; eager is run whether it is among them or not.
        deadline: ``time.monotonic()`` after which no experiment begins.
        starting: is told the cell before anything of it runs.
    """
    eager = [cell.in_mode("eager") for cell in cells[:1]]
    asked = list(dict.fromkeys([*eager, *cells]))
    lab = ExperimentRunner(subject, deadline)
    with lab.undisturbed():  # what the check leaves in Python's state must not be the beginning
        checked = list(parity.check(subject, asked, starting))
    source = Source(subject.scenario)
    settled: frozenset[str] = frozenset()
    for number, result in enumerate(checked):
        now = time.monotonic()
        lab.until(now + (deadline - now) / (len(checked) - number))  # each has its share
        starting(Cell.parse(result.cell))
        disagreement = Disagreement(lab, result, source, settled)
        explanation = _explain_cell(disagreement, result)
        if disagreement.eager_itself:
            settled = frozenset(name for cause in explanation.causes for name in cause.tensors)
        yield explanation


def unequal_work(subject: Subject, cell: Cell) -> tuple[str, ...]:
    """Why a cell's times must not be compared with eager's; nothing when the work is equal.

    It builds some programs and traces the step; it times nothing.
    """
    lab = _laboratory(subject, cell)
    work = measure(Disagreement(lab, CellParity(cell.id, ""), Source(subject.scenario)))
    return () if work is None else reasons(work)


class EqualWork:
    """Fills ``CellParity.unequal_work`` for the cells of one scenario and size.

    A cheap look at eager says whether it can matter at all; only then is what a mode does counted,
    once for all devices and inputs policies.
    """

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._suspicious: bool | None = None
        self._found: dict[str, str] = {}

    def checked(self, result: CellParity) -> CellParity:
        """The parity of a cell with why its work is unequal, where it is."""
        cell = Cell.parse(result.cell)
        # A step that traces itself cannot be traced; a mode that splits the batch is to do less.
        of_mode = MODES[cell.mode]
        if not result.timed or cell.mode == BASELINE or of_mode.splits_batch:
            return result
        mode = cell.mode if of_mode.counted else "function"
        try:
            if mode not in self._found:
                self._found[mode] = self._why(cell.in_mode(mode))
        except Exception:  # a look from outside must cost no cell its parity
            self._found[mode] = ""
        return replace(result, unequal_work=self._found[mode])

    def _why(self, cell: Cell) -> str:
        if self._suspicious is None:
            self._suspicious = not self._subject.scenario.traces_itself and could_be_unequal(
                _laboratory(self._subject, cell), cell
            )
        return "; ".join(unequal_work(self._subject, cell)) if self._suspicious else ""


def _laboratory(subject: Subject, cell: Cell) -> ExperimentRunner:
    if subject.initial is None:
        subject.build(cell.in_mode(BASELINE)).close()
    return ExperimentRunner(subject, time.monotonic() + 1e6)


def _explain_cell(disagreement: Disagreement, result: CellParity) -> Explanation:
    started = time.monotonic()
    explanation = Explanation(result.cell, result.status, result.reason)
    if subject_failed(disagreement, result):
        return replace(explanation, excluded=("eager itself fails: there is nothing to compare",))
    if not disagreement.lab.in_time():
        return replace(explanation, not_tried=("every experiment: out of time",))
    keys = set(disagreement.apart)
    found: list[Cause] = []
    excluded: list[str] = []
    not_tried: list[str] = []
    unsteady = keys & (disagreement.unsteady | disagreement.unsteady_mode)
    explained: set[Key] = set()
    for find in (*causes.OF_VALUES, *causes.OF_WORK):
        if not disagreement.lab.in_time():
            not_tried.append(f"{find.__module__.rpartition('.')[2]}: out of time")
            continue
        left = keys - explained
        # A tensor that changes from run to run seems to agree under any condition, at times.
        asked = left if find in _RANDOM else left - unsteady
        finding = find(disagreement, asked)
        found += finding.causes
        explained |= finding.explained
        excluded += finding.excluded
        not_tried += finding.not_tried
    of_eager = unsteady & disagreement.unsteady
    if disagreement.eager_itself:
        # One program, one state, neither Python nor a stream that explains it: it is the kernels.
        unsteady = of_eager = unsteady | (keys - explained)
    shown = sorted(keys, key=lambda key: (-rank(disagreement.apart[key]), key))
    judgements = [judged for key in shown if (judged := judge(disagreement, key)) is not None]
    return replace(
        explanation,
        status=_word(result, {name for _kind, name in of_eager}),
        tensors=tuple(_worded(result, disagreement, key) for key in shown),
        against_reference=tuple(_out_of_tolerance(result)),
        judgements=tuple(judgements),
        profiles=tuple(_profiles(disagreement, result, shown)),
        causes=tuple(found),
        unexplained=names(keys - explained),
        unsteady=names(unsteady),
        excluded=tuple(excluded),
        not_tried=tuple(not_tried),
        seconds=time.monotonic() - started,
    )


def _out_of_tolerance(result: CellParity) -> Iterator[TensorComparison]:
    for tensor in result.tensors:
        if tensor.against == "reference" and tensor.status not in AGREEING:
            yield tensor


def _profiles(
    disagreement: Disagreement, result: CellParity, shown: list[Key]
) -> Iterator[Profile]:
    """Of the worst tensors, outputs first; where modes agree, of those out of the reference's."""
    steps = {key: disagreement.apart[key].worst_step for key in shown}
    for tensor in () if steps else _out_of_tolerance(result):
        steps[tensor.kind, tensor.tensor] = tensor.worst_step
    for key in sorted(steps, key=lambda key: key[0] != "output")[:_PROFILES]:
        if key in disagreement.keys:
            last = disagreement.lab.steps - 1
            found = profile(disagreement, key, last if steps[key] is None else int(steps[key] or 0))
            if found is not None:
                yield found


def subject_failed(disagreement: Disagreement, result: CellParity) -> bool:
    """Whether there is no eager run to explain anything by."""
    return bool(disagreement.eager.error) or (
        disagreement.eager_itself and result.status in (ERROR, UNSUPPORTED)
    )


def _worded(result: CellParity, disagreement: Disagreement, key: Key) -> TensorComparison:
    """The comparison with parity's word for it: parity knows what was declared and unsteady."""
    tensor = disagreement.apart[key]
    if disagreement.eager_itself or key in disagreement.unsteady:
        return replace(tensor, status=NONDETERMINISTIC)
    for told in result.tensors:
        same = (told.kind, told.tensor, told.against) == (*key, "eager")
        if same and told.status != IDENTICAL:
            return replace(tensor, status=told.status, known=told.known)
    return tensor


def _word(result: CellParity, unsteady: set[str]) -> str:
    """Parity's word; ``nondeterministic`` where more runs than parity's two show just that."""
    bad = {tensor.tensor for tensor in result.tensors if tensor.status not in AGREEING}
    # A failure stands; and a tensor that is steady and wrong is to be seen.
    return NONDETERMINISTIC if unsteady and result.tensors and bad <= unsteady else result.status


def observe_fresh(
    subject: Subject, cells: Sequence[Cell], condition: str, starting: Callable[[Cell], None]
) -> Iterator[FreshResult]:
    """In a process that has taken on a condition: run each cell's mode and eager, several times."""
    lab = ExperimentRunner(subject, time.monotonic() + 1e6)
    for cell in cells:
        starting(cell)
        subject.build(cell.in_mode("eager")).close()
        yield _fresh_result(lab, cell, condition)


def _fresh_result(lab: ExperimentRunner, cell: Cell, condition: str) -> FreshResult:
    from eager_vs_graph.child.explain.conditions import Condition

    eager = lab.eager(cell)
    found = lab.observe(cell)
    if eager.error or found.error:
        return FreshResult(condition, cell.id, error=eager.error or found.error)
    steadiness: dict[str, str] = {}
    for repetition in range(1, 1 + _FRESH_REPETITIONS):
        for mode, first in (("eager", eager), (cell.mode, found)):
            again = lab.observe(cell.in_mode(mode), Condition(repetition=repetition))
            apart = disagreeing(lab.compare(cell, again, first))
            steadiness.update({key[1]: tensor.status for key, tensor in apart.items()})
    compared = lab.compare(cell, found, eager)
    return FreshResult(
        condition,
        cell.id,
        {key[1]: tensor.status for key, tensor in compared.items()},
        {key[1]: steadiness.get(key[1], "identical") for key in compared},
        {
            key[1]: (tensor.value or "", tensor.reference or "")
            for key, tensor in compared.items()
            if tensor.value is not None
        },
    )
