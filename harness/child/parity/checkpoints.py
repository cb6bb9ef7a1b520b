"""Whether a checkpoint that one mode wrote restores in every other mode."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from eager_vs_graph.child.parity.check import reason_of
from eager_vs_graph.child.parity.compare import compare
from eager_vs_graph.child.parity.comparisons import compare_trajectories, declared_reason
from eager_vs_graph.child.parity.reclassify import mark_nondeterministic
from eager_vs_graph.child.parity.subject import Subject
from eager_vs_graph.child.parity.trajectory import Trajectory, of_program, onwards
from eager_vs_graph.errors import ScenarioError
from eager_vs_graph.modes import BASELINE
from eager_vs_graph.modes.failures import failure
from eager_vs_graph.modes.program import Program
from eager_vs_graph.results.cells import Cell
from eager_vs_graph.results.record import (
    AGREEING,
    CRASHED,
    DIFFERS,
    IDENTICAL,
    STATUSES,
    UNSUPPORTED,
    CheckpointParity,
    TensorComparison,
)
from eager_vs_graph.scenario import Array, State, Tolerance

_BIT_FOR_BIT = Tolerance(rtol=0.0)


@dataclass(frozen=True)
class _Written:
    """A checkpoint, and what its writer did afterwards."""

    prefix: str
    state: State
    after: Trajectory


def exchange(
    subject: Subject,
    cells: Sequence[Cell],
    starting: Callable[[Cell], None],
    lost: Collection[str] = (),
) -> Iterator[CheckpointParity]:
    """Let every cell restore what every cell wrote; nothing where the scenario has no checkpoint.

    Every program runs ``parity_steps`` steps from the initial state, writes a checkpoint and
    trains on for as many. Then every program restores every checkpoint, from a state in which each
    variable has another value: a variable that is not restored shows, and so does one that the
    checkpoint leaves out although training depends on it.

    Args:
        subject: the scenario and size of all the cells.
        cells: one cell a mode.
        starting: is told the cell before anything of it runs.
        lost: ids of cells that cost a process its life; they are not run again.

    Raises:
        ScenarioError: the checkpoint tracks no variable of the scenario's.
    """
    if subject.initial is None:
        try:
            subject.build(cells[0].in_mode(BASELINE)).close()
        except Exception:  # its cells say what is wrong with it
            return
    if subject.checkpointed is None:
        return
    if not subject.checkpointed:
        raise ScenarioError(
            f"{subject.scenario.name}: its checkpoint tracks none of its variables; name what it "
            "should track, as in tf.train.Checkpoint(model=self.model, optimizer=self.optimizer)"
        )
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="checkpoints-")))
        programs: dict[Cell, Program] = {}
        written: dict[Cell, _Written] = {}
        failed = {cell: why for cell in cells if (why := _refusal(subject, cell, lost))}
        for number, cell in enumerate(cells):
            if cell in failed:
                continue
            starting(cell)
            try:
                programs[cell] = subject.build(cell)
                stack.callback(programs[cell].close)
                written[cell] = _write(subject, programs[cell], str(folder / f"{number}" / "ckpt"))
            except Exception as error:  # a cell that fails costs its row and column, never the run
                failed[cell] = _failure(subject, cell, error)
        for writer in cells:
            for reader in cells:
                if why := failed.get(writer) or failed.get(reader):
                    yield CheckpointParity(writer.id, reader.id, *why)
                    continue
                starting(reader)
                yield _read(subject, writer, reader, written[writer], programs[reader])


def _refusal(subject: Subject, cell: Cell, lost: Collection[str]) -> tuple[str, str] | None:
    if cell.id in lost:
        return CRASHED, f"{cell.mode}: the process did not survive the cell"
    if reason := subject.scenario.unsupported.get(cell.mode):
        return UNSUPPORTED, f"{cell.mode}: {reason}"
    return None


def _failure(subject: Subject, cell: Cell, error: Exception) -> tuple[str, str]:
    status, reason = failure(error, subject.scenario.source_file())
    return status, f"{cell.mode}: {reason}"


def _write(subject: Subject, program: Program, prefix: str) -> _Written:
    assert subject.initial is not None
    steps = subject.scenario.parity_steps
    state = of_program(program, subject.initial, subject.feeds, steps).state
    program.write_checkpoint(prefix)
    return _Written(prefix, state, onwards(program, subject.feeds, steps, steps))


def _read(
    subject: Subject, writer: Cell, reader: Cell, written: _Written, program: Program
) -> CheckpointParity:
    """Restore in one program what another wrote, train on, and find the word for it."""
    steps = subject.scenario.parity_steps
    try:
        program.load({name: _another(array) for name, array in written.state.items()})
        program.restore_checkpoint(written.prefix)
        state = program.state()
        after = onwards(program, subject.feeds, steps, steps)
    except Exception as error:
        return CheckpointParity(writer.id, reader.id, *_failure(subject, reader, error))
    assert subject.checkpointed is not None
    restored = [
        _restored(name, state[name], written.state[name], writer.mode)
        for name in sorted(subject.checkpointed)
    ]
    if any(tensor.status != IDENTICAL for tensor in restored):
        return _verdict(subject, writer, reader, restored, "restored")
    trained = [
        _declared(subject, writer, reader, mark_nondeterministic(subject, tensor))
        for tensor in compare_trajectories(subject, reader, writer.mode, after, written.after)
        if tensor.kind == "output" or tensor.tensor in subject.checkpointed
    ]
    return _verdict(subject, writer, reader, trained, "training on")


def _another(array: Array) -> Array:
    """An array of the same dtype and shape, every element of which has another value."""
    if array.dtype.kind == "O":  # text
        return np.where(array == b"", b"another", b"").astype(array.dtype)
    return np.where(array == 0, 1, 0).astype(array.dtype)


def _restored(name: str, value: Array, reference: Array, against: str) -> TensorComparison:
    """Whether a variable has the very bits that were written: NaN and the sign of zero included."""
    difference = compare(value, reference, _BIT_FOR_BIT)
    status = DIFFERS
    if value.dtype == reference.dtype and (
        difference.status == IDENTICAL
        if value.dtype.kind == "O"
        else value.tobytes() == reference.tobytes()
    ):
        status = IDENTICAL
    return TensorComparison(
        name,
        "variable",
        against,
        status,
        detail=difference.detail or "a zero has another sign",
        worst_index=difference.worst_index,
        worst_step=0,
        value=difference.value,
        reference=difference.reference,
    )


def _declared(
    subject: Subject, writer: Cell, reader: Cell, tensor: TensorComparison
) -> TensorComparison:
    """Attach the reason that the scenario declares for either mode against eager."""
    if tensor.status != DIFFERS or tensor.known:
        return tensor
    reasons = (
        declared_reason(subject.scenario, tensor.tensor, "eager", cell) for cell in (reader, writer)
    )
    return replace(tensor, known=next(filter(None, reasons), None))


def _verdict(
    subject: Subject, writer: Cell, reader: Cell, tensors: Sequence[TensorComparison], when: str
) -> CheckpointParity:
    status = max((tensor.status for tensor in tensors), key=STATUSES.index)
    bad = [tensor for tensor in tensors if tensor.status not in AGREEING]
    if not bad:
        return CheckpointParity(writer.id, reader.id, status)
    undeclared = [tensor for tensor in bad if not tensor.known]
    if not undeclared:
        return CheckpointParity(writer.id, reader.id, status, known=bad[0].known)
    worst = max(undeclared, key=lambda tensor: STATUSES.index(tensor.status))
    reason = f"{when}, {reason_of(worst)}"
    if left_out := sorted(set(subject.initial or {}) - (subject.checkpointed or frozenset())):
        reason += f"; the checkpoint leaves out {', '.join(left_out)}"
    return CheckpointParity(writer.id, reader.id, status, reason)
