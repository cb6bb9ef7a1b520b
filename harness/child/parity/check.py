"""Runs the cells of one scenario and size from one state and finds the word for each."""

from __future__ import annotations

import gc
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from eager_vs_graph.child.parity import (
    lost_digits,
    raised,
    random_draws,
    reclassify,
    repetition_rule,
)
from eager_vs_graph.child.parity.comparisons import badness, compare_trajectories
from eager_vs_graph.child.parity.goal import Learned, learn
from eager_vs_graph.child.parity.memory import PeakMemory
from eager_vs_graph.child.parity.repetition_rule import REPEATS
from eager_vs_graph.child.parity.subject import Subject, subject
from eager_vs_graph.child.parity.trajectory import (
    Trajectory,
    of_program,
    of_reference,
    require_same_outputs,
)
from eager_vs_graph.errors import NoReference, ScenarioError
from eager_vs_graph.modes import BASELINE, MODES
from eager_vs_graph.modes.failures import failure
from eager_vs_graph.modes.program import Program
from eager_vs_graph.modes.retraces import RetraceWarnings
from eager_vs_graph.results.cells import Cell
from eager_vs_graph.results.record import (
    AGREEING,
    CLOSE,
    DIFFERS,
    ERROR,
    NONDETERMINISTIC,
    STATUSES,
    UNSUPPORTED,
    VACUOUS,
    CellParity,
    TensorComparison,
)

__all__ = ["REPEATS", "Subject", "check", "compare_trajectories", "reason_of", "subject"]

LARGE_BYTES = 2**27
"""Variables from here on are compared with eager's only, where the reference is eager in float64,
and eager's second run is not kept: a check takes at most four times their memory."""
_CALLS_TO_WARN = 6
"""TensorFlow warns of retracing from the fifth trace on."""
_SHORT_S = 0.4
"""CPU seconds of the compared steps, below which a few more calls cost little. Not wall seconds: on
a busy machine, retracing would go unnoticed."""
_PARTED = (CLOSE, DIFFERS)
"""Words of eager's two runs that are not the same: NaN everywhere, twice, is."""


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
    program = None
    try:
        with PeakMemory() as memory:
            program = subject.build(cell)
            assert subject.initial is not None
            started, started_cpu_s = time.perf_counter(), time.process_time()
            # Not of building: the initial values of variables may well be random.
            with random_draws.watched(scenario.source_file()) as draws:
                found = of_program(program, subject.initial, subject.feeds, steps)
            took_s = time.perf_counter() - started
            cpu_s = time.process_time() - started_cpu_s
        if subject.writes:
            found = replace(found, written=program.written())
            _keep_files(subject, cell, program, found)
        traces, inner, retraced = program.traces, program.inner_traces(), program.retraced()
        with RetraceWarnings() as retraces:
            # In a graph, nothing of Python runs any more that could trace.
            in_python = (
                cell.mode == BASELINE or scenario.traces_itself or MODES[cell.mode].needs_functions
            )
            if in_python and cpu_s < _SHORT_S:
                for _ in range(_CALLS_TO_WARN):
                    program.run(subject.feeds[0])
        learned = _learned(subject, cell, program)
        again = None
        if cell.mode == BASELINE and subject.eager is None:
            subject.eager, subject.draws = found, draws.ops
            program.close()
            program = None  # its variables are gone before a second program has its own
            again = _made_anew(subject, cell)
            subject.again = again if _held(subject) <= LARGE_BYTES else None
    except Exception as error:  # a cell that fails costs that cell, never the run
        return _failed(subject, cell, error, ran=program is not None)
    if subject.eager_error:
        return raised.returned_where_eager_raised(cell.id, cell.mode, found, subject.eager_error)
    if subject.reference is None and not subject.no_reference:
        _compute_reference(subject, found)
    tensors = _comparisons(subject, cell, found, again, program)
    if program is not None:
        program.close()
    parity = _verdict(cell, tensors, learned)
    retraced_step = 0 if inner else traces
    reasons = [parity.reason, _retraced(subject, steps, retraced_step, retraces, retraced)]
    making = getattr(program.scenario, "making", "") if program is not None else ""
    notes = [making, _no_reference(subject), *reclassify.notes(tensors), *_lost(tensors)]
    return replace(
        parity,
        reason="; ".join(filter(None, reasons)),
        traces=traces,
        inner_traces=inner,
        steps=steps,
        note="; ".join(filter(None, notes)),
        call_s=took_s / steps,
        peak_memory_bytes=memory.bytes,
    )


def _made_anew(subject: Subject, cell: Cell) -> Trajectory:
    """What a second program of a cell does, from the same seeds and state."""
    program = subject.build(cell)
    assert subject.initial is not None
    again = of_program(program, subject.initial, subject.feeds, subject.scenario.parity_steps)
    if subject.writes:
        again = replace(again, written=program.written())
    program.close()
    return again


def _held(subject: Subject) -> int:
    """Bytes of the variables of a program."""
    assert subject.initial is not None
    return sum(array.nbytes for array in subject.initial.values())


def _learned(subject: Subject, cell: Cell, program: Program) -> Learned:
    if cell.mode in subject.learned:
        return Learned()
    subject.learned.add(cell.mode)
    assert subject.initial is not None
    return learn(program, subject.scenario, subject.size, subject.initial, subject.feeds)


def _failed(subject: Subject, cell: Cell, error: Exception, *, ran: bool) -> CellParity:
    """The parity of a cell that raised: where eager returned, that is a difference.

    Args:
        subject: the cell's scenario and size.
        cell: the cell.
        error: what was raised.
        ran: whether the program was built, and raised when it was run.
    """
    status, reason = failure(error, subject.scenario.source_file())
    contract = isinstance(error, ScenarioError)
    if cell.mode == BASELINE and subject.eager is None and ran and not contract:
        subject.eager_error = reason
    if status == ERROR and cell.mode != BASELINE and subject.eager is not None and not contract:
        return raised.raised_where_eager_returned(cell.id, cell.mode, subject.eager, reason)
    return CellParity(cell.id, status, reason)


def _lost(tensors: Sequence[TensorComparison]) -> list[str]:
    """Says of agreeing tensors which elements have no right digit."""
    return list(dict.fromkeys(tensor.lost_detail for tensor in tensors if tensor.lost_detail))


def _compute_reference(subject: Subject, found: Trajectory) -> None:
    """Give the subject its reference, or the reason why it has none."""
    assert subject.initial is not None
    scenario = subject.scenario
    if scenario.judged_by_eager and subject.draws:
        drawn = ", ".join(sorted(subject.draws))
        subject.no_reference = f"it draws random numbers ({drawn}), which are others in float64"
        return
    held = _held(subject)
    if scenario.judged_by_eager and held > LARGE_BYTES:
        subject.no_reference = (
            f"its variables take {held / 2**20:.0f} MiB, and in float64 several times as much"
        )
        return
    instance = scenario(scenario.sizes[subject.size])
    subject.begin_anew()
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
    subject: Subject,
    cell: Cell,
    found: Trajectory,
    again: Trajectory | None,
    program: Program | None = None,
) -> list[TensorComparison]:
    tensors: list[TensorComparison] = []
    repeating: set[str] = set()
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
            tensors = reclassify.by_draws(subject, cell, tensors)
        if program is not None:
            repeating = repetition_rule.repeats(subject, cell, tensors, program)
    if subject.reference is not None:
        against = compare_trajectories(subject, cell, "reference", found, subject.reference)
        tensors += [
            reclassify.by_derived_reference(subject, cell, tensor, found) for tensor in against
        ]
    tensors = [reclassify.mark_nondeterministic(subject, each, repeating) for each in tensors]
    return lost_digits.noted(subject, cell, tensors, found)


def _no_reference(subject: Subject) -> str:
    return f"no float64 reference: {subject.no_reference}" if subject.no_reference else ""


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


def _retraced(
    subject: Subject, steps: int, traces: int, retraces: RetraceWarnings, inner: Mapping[str, int]
) -> str:
    """Says what was traced again: the step, or these tf.functions that it calls."""
    if retraces.count and not inner:
        return f"retraced: {retraces.message}"
    if traces <= 1 and not inner:
        return ""
    counts = ", ".join(f"{count} traces of {name}" for name, count in inner.items())
    shapes = {
        name: sorted({feed[name].shape for feed in subject.feeds}) for name in subject.feeds[0]
    }
    varying = [
        f"{name} comes in {len(seen)} shapes" for name, seen in shapes.items() if len(seen) > 1
    ]
    values = {
        feed[name].item() for name in subject.scenario.python_inputs for feed in subject.feeds
    }
    remedies = ["give inputs one shape"] if varying or not (inner or values) else []
    if values:
        varying.append(f"Python arguments take {len(values)} values")
        remedies.append("give tensors in their place")
    cause = f": {', '.join(varying)}" if varying else ""
    remedy = f"; {', '.join(remedies)}" if remedies else ""
    return f"retraced: {counts or f'{traces} traces'} in {steps} calls{cause}{remedy}"


def of_trajectories(
    subject: Subject,
    cell: Cell,
    found: Trajectory,
    *,
    again: Trajectory | None = None,
    program: Program | None = None,
) -> CellParity:
    """Compare what a program did that somebody else has run, as ``check`` does.

    Args:
        subject: the cell's scenario and size, with its initial state.
        cell: whose trajectory was found. Eager comes first: the others are compared with it.
        found: what the cell did.
        again: for eager, what a second program did from the same state.
        program: the cell's program, where its state may be changed.

    Raises:
        ScenarioError: the reference breaks its contract.
    """
    if again is not None:
        subject.eager = found
    if subject.reference is None and not subject.no_reference:
        _compute_reference(subject, found)
    return of_tensors(cell, _comparisons(subject, cell, found, again, program))


def of_tensors(cell: Cell, tensors: Sequence[TensorComparison]) -> CellParity:
    """The parity of a cell whose tensors have been compared."""
    return _verdict(cell, list(tensors), Learned())


def worst(tensors: Sequence[TensorComparison]) -> TensorComparison:
    """The tensor that agrees least."""
    return max(tensors, key=badness)
