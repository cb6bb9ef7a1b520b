"""Runs the cells of one scenario and size from one state and finds the word for each."""

from __future__ import annotations

import gc
import inspect
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import tensorflow as tf

from eager_vs_graph.child.parity import reclassify
from eager_vs_graph.child.parity.compare import Difference, compare
from eager_vs_graph.child.parity.goal import Learned, learn
from eager_vs_graph.child.parity.memory import PeakMemory
from eager_vs_graph.child.parity.trajectory import (
    Trajectory,
    of_program,
    of_reference,
    require_same_outputs,
)
from eager_vs_graph.errors import NoReference, ScenarioError
from eager_vs_graph.modes import BASELINE, MODES
from eager_vs_graph.modes.failures import failure
from eager_vs_graph.modes.program import Program, Task
from eager_vs_graph.modes.retraces import RetraceWarnings
from eager_vs_graph.modes.variables import checkpointed, require_same
from eager_vs_graph.results.cells import Cell
from eager_vs_graph.results.record import (
    AGREEING,
    CLOSE,
    DIFFERS,
    IDENTICAL,
    NONDETERMINISTIC,
    STATUSES,
    UNSUPPORTED,
    VACUOUS,
    CellParity,
    TensorComparison,
)
from eager_vs_graph.scenario import SEED, Array, Feed, Scenario, State

_CALLS_TO_WARN = 6
"""TensorFlow warns of retracing from the fifth trace on."""
_SHORT_S = 0.4
"""CPU seconds of the compared steps, below which a few more calls cost little. Not wall seconds: on
a busy machine, retracing would go unnoticed."""
_PARTED = (CLOSE, DIFFERS)
"""Words of eager's two runs that are not the same: NaN everywhere, twice, is."""


@dataclass
class Subject:
    """One scenario at one size: its feeds, and what its programs are compared with."""

    scenario: type[Scenario]
    size: str
    feeds: list[Feed]
    initial: State | None = None
    """The variables that the first eager program built."""
    eager: Trajectory | None = None
    reference: Trajectory | None = None
    no_reference: str = ""
    """Why the scenario has no reference; empty where it has one."""
    perturbed: list[Trajectory] | None = None
    """Eager once more, and from inputs and variables that were moved by a rounding error."""
    lossy: set[tuple[str, str]] = field(default_factory=set)
    """(kind, tensor) in which eager itself has lost digits, as a reference made of eager shows."""
    learned: set[str] = field(default_factory=set)
    """Modes that have trained for the goal: once each, for it takes many steps."""
    unsteady: set[tuple[str, str]] = field(default_factory=set)
    """(kind, tensor) for which eager disagrees with itself."""
    checkpointed: frozenset[str] | None = None
    """Names of the variables that the scenario's checkpoint tracks; None where it has none."""
    writes: bool = False
    """Whether the scenario uses its folder."""
    files: Path | None = None
    """Where the files that the compared steps wrote are kept, one folder a cell."""

    def task(self, cell: Cell) -> Task:
        """What the cell's runner needs."""
        return Task(self.scenario, self.size, cell.device, cell.inputs, self.feeds)

    def build(self, cell: Cell) -> Program:
        """Build the cell's program and load the initial state.

        Random initializers are seeded, so that every process builds the same initial state.

        Raises:
            ScenarioError: the variables are not those that eager built.
        """
        tf.keras.utils.set_random_seed(SEED)
        program = MODES[cell.mode].build(self.task(cell))
        if self.initial is None and cell.mode != BASELINE:
            self.initial = self.build(cell.in_mode(BASELINE)).state()
        if self.initial is None:
            self.initial = program.state()
        if cell.mode == BASELINE and program.scenario is not None:
            self.checkpointed = checkpointed(program.scenario)
            self.writes = "folder" in vars(program.scenario)
        require_same(self.initial, program.variables(), cell.mode)
        program.load(self.initial)
        return program


def subject(scenario: type[Scenario], size: str) -> Subject:
    """Make the feeds of a scenario and check them.

    Raises:
        ScenarioError: the feeds break the contract, or ``inputs`` raised.
    """
    instance = scenario(scenario.sizes[size])
    # An op's seed is combined with this one, so that without it `shuffle(seed=1)` in inputs would
    # depend on what the process did before.
    tf.keras.utils.set_random_seed(SEED)
    try:
        feeds = list(instance.inputs(np.random.default_rng(SEED)))
    except Exception as error:
        raise ScenarioError(
            f"{scenario.name}/{size}: inputs raised {type(error).__name__}: {error}"
        ) from error
    _require_feeds(scenario, size, feeds)
    return Subject(scenario, size, feeds)


def _require_feeds(scenario: type[Scenario], size: str, feeds: Sequence[Feed]) -> None:
    where = f"{scenario.name}/{size}"
    arguments = list(inspect.signature(scenario.step).parameters)[1:]
    if not feeds:
        raise ScenarioError(f"{where}: inputs returned no feed, but should return at least one")
    for number, feed in enumerate(feeds):
        if sorted(feed) != sorted(arguments):
            raise ScenarioError(
                f"{where}: feed {number} has {', '.join(feed) or 'nothing'}, but step takes "
                f"{', '.join(arguments) or 'nothing'}"
            )
        for name, array in feed.items():
            if not isinstance(array, np.ndarray | np.generic):
                raise ScenarioError(
                    f"{where}: input {name!r} of feed {number} is {type(array).__name__}, but "
                    "should be a NumPy array of explicit dtype (a Python value makes tf.function "
                    "trace again for every new value)"
                )
            if array.dtype != feeds[0][name].dtype:
                raise ScenarioError(
                    f"{where}: input {name!r} is {array.dtype} in feed {number}, but "
                    f"{feeds[0][name].dtype} in feed 0"
                )


def check(
    subject: Subject, cells: Sequence[Cell], starting: Callable[[Cell], None]
) -> Iterator[CellParity]:
    """Find the word of every cell; the eager ones come first, as the others' reference.

    Args:
        subject: the scenario and size of all the cells.
        cells: the cells, of any modes, devices and policies.
        starting: is told the cell before anything of it runs.

    Raises:
        ScenarioError: the reference breaks its contract.
    """
    for cell in sorted(cells, key=lambda cell: cell.mode != BASELINE):
        starting(cell)
        yield _check_cell(subject, cell)


def _check_cell(subject: Subject, cell: Cell) -> CellParity:
    scenario, steps = subject.scenario, subject.scenario.parity_steps
    if reason := scenario.unsupported.get(cell.mode):
        return CellParity(cell.id, UNSUPPORTED, reason)
    gc.collect()
    try:
        with PeakMemory() as memory:
            program = subject.build(cell)
            assert subject.initial is not None
            started, started_cpu_s = time.perf_counter(), time.process_time()
            found = of_program(program, subject.initial, subject.feeds, steps)
            took_s = time.perf_counter() - started
            cpu_s = time.process_time() - started_cpu_s
        if subject.writes:
            found = replace(found, written=program.written())
            _keep_files(subject, cell, program, found)
        traces = program.traces
        with RetraceWarnings() as retraces:
            again = None
            if cell.mode == BASELINE and subject.eager is None:
                again = _second_trajectory(subject, cell)
            # In a graph, nothing of Python runs any more that could trace.
            in_python = cell.mode == BASELINE or scenario.traces_itself
            if in_python and cpu_s < _SHORT_S:
                for _ in range(_CALLS_TO_WARN):
                    program.run(subject.feeds[0])
    except Exception as error:  # a cell that fails costs that cell, never the run
        status, reason = failure(error, scenario.source_file())
        return CellParity(cell.id, status, reason)
    if again is not None:
        subject.eager = found
    if subject.reference is None and not subject.no_reference:
        _compute_reference(subject, found)
    try:
        learned = Learned()
        if cell.mode not in subject.learned:
            subject.learned.add(cell.mode)
            learned = learn(program, scenario, subject.size, subject.initial, subject.feeds)
    except Exception as error:
        status, reason = failure(error, scenario.source_file())
        return CellParity(cell.id, status, reason, traces=traces)
    program.close()
    tensors = _comparisons(subject, cell, found, again)
    parity = _verdict(cell, tensors, learned)
    reasons = [parity.reason, _retraced(subject, steps, traces, retraces)]
    return replace(
        parity,
        reason="; ".join(filter(None, reasons)),
        traces=traces,
        steps=steps,
        note="; ".join(
            filter(
                None,
                [
                    getattr(program.scenario, "making", ""),
                    _no_reference(subject),
                    reclassify.decided_by_rounding(tensors),
                ],
            )
        ),
        call_s=took_s / steps,
        peak_memory_bytes=memory.bytes,
    )


def _second_trajectory(subject: Subject, cell: Cell) -> Trajectory:
    """What another program does that is made anew from the same seeds: it should be the same.

    Not the same program once more: what its Python has counted is no nondeterminism.
    """
    assert subject.initial is not None
    program = subject.build(cell)
    found = of_program(program, subject.initial, subject.feeds, subject.scenario.parity_steps)
    if subject.writes:
        found = replace(found, written=program.written())
    program.close()
    return found


def _compute_reference(subject: Subject, found: Trajectory) -> None:
    """Give the subject its reference, or the reason why it has none."""
    assert subject.initial is not None
    scenario = subject.scenario
    instance = scenario(scenario.sizes[subject.size])
    try:
        subject.reference = of_reference(
            instance, subject.initial, subject.feeds, scenario.parity_steps
        )
    except NoReference as error:
        subject.no_reference = str(error)
    else:
        require_same_outputs(scenario, subject.reference, found)


def _keep_files(subject: Subject, cell: Cell, program: Program, found: Trajectory) -> None:
    """Copy what the compared steps wrote before further steps write to the same files."""
    if subject.files is not None and program.scenario is not None and found.written:
        # A colon is no part of a file's name everywhere.
        target = subject.files / cell.id.replace(":", "-")
        shutil.copytree(program.scenario.folder, target, dirs_exist_ok=True)


def _comparisons(
    subject: Subject, cell: Cell, found: Trajectory, again: Trajectory | None
) -> list[TensorComparison]:
    tensors: list[TensorComparison] = []
    if again is not None:
        tensors += [
            replace(tensor, status=NONDETERMINISTIC) if tensor.status in _PARTED else tensor
            for tensor in compare_trajectories(subject, cell, "eager", again, found)
        ]
        subject.unsteady = {
            (tensor.kind, tensor.tensor) for tensor in tensors if tensor.status == NONDETERMINISTIC
        }
    elif subject.eager is not None:
        tensors += compare_trajectories(subject, cell, "eager", found, subject.eager)
        tensors = [reclassify.by_reference(subject, tensor, found) for tensor in tensors]
        if subject.scenario.judged_by_eager:
            tensors = [reclassify.by_sensitivity(subject, cell, t, found) for t in tensors]
    if subject.reference is not None:
        against = compare_trajectories(subject, cell, "reference", found, subject.reference)
        tensors += [
            reclassify.by_derived_reference(subject, cell, tensor, found) for tensor in against
        ]
    return [reclassify.mark_nondeterministic(subject, tensor) for tensor in tensors]


def compare_trajectories(
    subject: Subject, cell: Cell, against: str, found: Trajectory, reference: Trajectory
) -> Iterator[TensorComparison]:
    """Compare what a cell did with a reference, tensor by tensor.

    Args:
        subject: the cell's scenario and size.
        cell: whose trajectory was found.
        against: whose the reference is: ``reference`` or a mode's name.
        found: what the cell did.
        reference: what it should have done.
    """
    exact = against != "reference"
    for name in found.outputs[0]:
        if name not in reference.outputs[0]:
            yield TensorComparison(
                name, "output", against, DIFFERS, detail=f"{against} has no output {name!r}"
            )
            continue
        values = [outputs[name] for outputs in found.outputs]
        references = [outputs[name] for outputs in reference.outputs]
        yield _compare_steps(subject, cell, against, "output", name, values, references, exact)
    for name, value in found.state.items():
        yield _compare_steps(
            subject, cell, against, "variable", name, [value], [reference.state[name]], exact
        )
    for name in {**found.written, **reference.written}:
        if name not in found.written or name not in reference.written:
            who = "it wrote none" if name in reference.written else f"{against} wrote none"
            yield TensorComparison(name, "written", against, DIFFERS, detail=who)
            continue
        values, references = [found.written[name]], [reference.written[name]]
        yield _compare_steps(subject, cell, against, "written", name, values, references, exact)


def _compare_steps(
    subject: Subject,
    cell: Cell,
    against: str,
    kind: str,
    name: str,
    values: Sequence[Array],
    references: Sequence[Array],
    exact_dtype: bool,
) -> TensorComparison:
    tolerance = subject.scenario.tolerance_of(name)
    steps = [
        compare(value, reference, tolerance, exact_dtype=exact_dtype)
        for value, reference in zip(values, references, strict=True)
    ]
    worst = max(range(len(steps)), key=lambda i: _badness(steps[i]))
    parted = [i for i, step in enumerate(steps) if step.status != IDENTICAL]
    last = subject.scenario.parity_steps - 1
    difference = steps[worst]
    known = (
        declared_reason(subject.scenario, name, against, cell)
        if difference.status == DIFFERS
        else None
    )
    return TensorComparison(
        tensor=name,
        kind=kind,
        against=against,
        status=difference.status,
        known=known,
        detail=difference.detail,
        dtype=str(values[0].dtype),
        shape=tuple(values[0].shape),
        max_abs=_largest([step.max_abs for step in steps]),
        max_rel=_largest([step.max_rel for step in steps]),
        max_ulp=_largest([step.max_ulp for step in steps]),
        worst_step=(worst if kind == "output" else last) if parted else None,
        worst_index=difference.worst_index,
        value=difference.value,
        reference=difference.reference,
        first_step=parted[0] if parted and kind == "output" else None,
        p99_ulp=difference.p99_ulp,
        misplaced=difference.misplaced,
        signed_zeros=difference.signed_zeros,
        by_step=tuple(step.max_abs for step in steps) if parted else (),
    )


def _no_reference(subject: Subject) -> str:
    return f"no float64 reference: {subject.no_reference}" if subject.no_reference else ""


def _badness(difference: Difference | TensorComparison) -> tuple[int, float]:
    return STATUSES.index(difference.status), difference.max_ulp or difference.max_abs or 0.0


def _largest(values: Sequence[float | None]) -> float | None:
    present = [value for value in values if value is not None]
    return max(present) if present else None


def declared_reason(scenario: type[Scenario], tensor: str, against: str, cell: Cell) -> str | None:
    """The reason that the scenario declares for a difference; None where it declares none."""
    for known in scenario.known_differences:
        if known.covers(
            tensor, against=against, mode=cell.mode, size=cell.size, inputs=cell.inputs
        ):
            return known.reason
    return None


def _verdict(cell: Cell, tensors: list[TensorComparison], learned: Learned) -> CellParity:
    status = max((tensor.status for tensor in tensors), key=STATUSES.index, default=VACUOUS)
    bad = [tensor for tensor in tensors if tensor.status not in AGREEING]
    known = None
    if bad and all(tensor.known for tensor in bad):
        known = " ".join(dict.fromkeys(tensor.known for tensor in bad if tensor.known))
    reasons = [reason_of(tensor) for tensor in bad if tensor.status == status and not tensor.known]
    if missed := learned.missed:
        status, known, reasons = DIFFERS, None, [*reasons, missed]
    shown = reasons[:3] + ([f"and {len(reasons) - 3} more"] if len(reasons) > 3 else [])
    return CellParity(
        cell.id,
        status,
        "; ".join(shown),
        known,
        tensors=tuple(tensors),
        learned=learned.measured,
        curves=learned.curves,
    )


def reason_of(tensor: TensorComparison) -> str:
    """Say of a tensor that does not agree what is wrong and where, in a line."""
    reason = f"{tensor.kind} {tensor.tensor!r} against {tensor.against}: {tensor.detail}"
    if tensor.worst_index is not None:
        place = f"[{', '.join(map(str, tensor.worst_index))}]" if tensor.worst_index else ""
        reason += (
            f"; step {tensor.worst_step}: {tensor.tensor}{place} = {tensor.value}, but should be "
            f"{tensor.reference}"
        )
    return reason


def _retraced(subject: Subject, steps: int, traces: int, retraces: RetraceWarnings) -> str:
    if retraces.count:
        return f"retraced: {retraces.message}"
    if traces <= 1:
        return ""
    shapes = {
        name: sorted({feed[name].shape for feed in subject.feeds}) for name in subject.feeds[0]
    }
    varying = [
        f"{name} comes in {len(seen)} shapes" for name, seen in shapes.items() if len(seen) > 1
    ]
    cause = f": {', '.join(varying)}" if varying else ""
    return f"retraced: {traces} traces in {steps} calls{cause}; give inputs one shape"


def of_trajectories(
    subject: Subject, cell: Cell, found: Trajectory, again: Trajectory | None = None
) -> CellParity:
    """Compare what a program did that somebody else has run, as ``check`` does.

    Args:
        subject: the cell's scenario and size, with its initial state.
        cell: whose trajectory was found. Eager comes first: the others are compared with it.
        found: what the cell did.
        again: for eager, what a second program did from the same state.

    Raises:
        ScenarioError: the reference breaks its contract.
    """
    if again is not None:
        subject.eager = found
    if subject.reference is None and not subject.no_reference:
        _compute_reference(subject, found)
    return of_tensors(cell, _comparisons(subject, cell, found, again))


def of_tensors(cell: Cell, tensors: Sequence[TensorComparison]) -> CellParity:
    """The parity of a cell whose tensors have been compared."""
    return _verdict(cell, list(tensors), Learned())


def worst(tensors: Sequence[TensorComparison]) -> TensorComparison:
    """The tensor that agrees least."""
    return max(tensors, key=_badness)
