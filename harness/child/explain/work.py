"""What one call does in eager and in a graph mode, and when that is not the same work."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import tensorflow as tf

from eager_vs_graph.child.explain import executed as executed_ops
from eager_vs_graph.child.explain import graph_cost, graphs, python_time
from eager_vs_graph.child.explain.disagreement import Disagreement
from eager_vs_graph.child.explain.executed import Pruned
from eager_vs_graph.child.explain.experiments import ExperimentRunner
from eager_vs_graph.child.parity import python_state
from eager_vs_graph.modes import BASELINE
from eager_vs_graph.results.cells import Cell

_SHOWN = 3
_DEAR = 0.05
"""Part of eager's work that a pruned op must be worth to be named."""
SHARE = 0.5
"""A mode does unequal work when it leaves out at least this share of what eager computes."""
SHARED = 0.1
"""What is left when work that is neither dropped nor constant counts as unequal all the same:
sharing some repeated work is what a graph is for, sharing nearly all of it is another program."""
FLOOR = 10_000.0
"""Elements computed below which leaving out some is the ordinary folding of small constants."""
FLOOR_BYTES = 64 * 1024
"""Bytes of constants below which copying them in each eager call is of no matter."""
FLOOR_S = 2e-4
"""Seconds of Python a call below which watching it takes as long as it does itself."""


@dataclass(frozen=True)
class Work:
    """What one call does in eager and in a graph mode."""

    eager: float
    """Elements computed by the step's ops, as traced."""
    executed: float
    """The same count for the graph that the mode executes."""
    unused: float = 0.0
    """Of eager's: what neither results nor side effects need."""
    constant: float = 0.0
    """Of eager's: what depends on no input or variable."""
    outside: float = 0.0
    """Share of an eager step's time outside of TensorFlow: Python and NumPy of the author."""
    outside_s: float = 0.0
    """The same in seconds a call."""
    side_effects: tuple[str, ...] = ()
    """Python state that eager's steps change and the mode's do not."""
    constant_bytes: int = 0
    """Bytes that eager copies in from Python in each call, and the graph holds."""
    data_bytes: int = 0
    """Bytes of the step's inputs and outputs."""
    counted: float = 0.0
    """Elements computed by the ops that eager executes in a step, loops turn by turn."""
    pruned: tuple[Pruned, ...] = ()
    """What a graph runs less often than eager because nobody reads it, dearest first."""

    @property
    def pruned_share(self) -> float:
        """The part of eager's work that a graph leaves out because nobody reads it."""
        left_out: float = sum(each.cost for each in self.pruned)
        return left_out / max(1.0, self.counted)

    def named(self) -> list[Pruned]:
        """What of the pruned is worth to be named: most of eager's work is among it."""
        if self.counted < FLOOR or self.pruned_share < SHARE:
            return []
        return [each for each in self.pruned if each.cost >= _DEAR * self.counted][:_SHOWN]


def _once(names: Iterable[str]) -> tuple[str, ...]:
    """Names without those of a class whose attribute the instance has, too: it is one object."""
    every = list(names)
    own = {name.removeprefix("self.") for name in every if name.startswith("self.")}
    return tuple(n for n in every if n.startswith("self.") or n.partition(".")[2] not in own)


def unequal_work(work: Work) -> tuple[str, ...]:
    """Why a mode's time must not be compared with eager's; nothing when the work is equal."""
    reasons = []
    if work.side_effects:
        reasons.append(
            f"eager changes {', '.join(work.side_effects)} in every step, the graph once at tracing"
        )
    if work.outside >= SHARE and work.outside_s >= FLOOR_S:
        reasons.append(
            f"{work.outside:.0%} of eager's step is Python outside of TensorFlow, which a graph "
            "runs once, at tracing"
        )
    pruned = work.named()
    reasons += [each.text() for each in pruned]
    nothing_left = work.eager > 0 and work.constant >= work.eager
    idle = work.eager >= FLOOR and work.unused + work.constant >= SHARE * work.eager
    shared = work.eager >= FLOOR and work.executed <= SHARED * work.eager
    if (nothing_left or idle or shared) and work.executed < work.eager and not pruned:
        reasons.append(
            f"of {work.eager:.3g} elements that eager computes in a call the graph computes "
            f"{work.executed:.3g} ({why(work)})"
        )
    if work.constant_bytes >= max(FLOOR_BYTES, work.data_bytes):
        reasons.append(
            f"eager copies {work.constant_bytes / 1024:.0f} KiB of constants into each call, the "
            "graph holds them"
        )
    return tuple(reasons)


def measure(disagreement: Disagreement) -> Work | None:
    """Count what a call does in eager and in the case's mode; None where it cannot be counted."""
    if disagreement.traced is None or disagreement.found.error or disagreement.eager.error:
        return None
    work = replace(
        _of_eager(
            disagreement.lab,
            disagreement.traced,
            str(disagreement.source.file),
            _outside(disagreement.lab, disagreement.cell),
        ),
        side_effects=_once(
            name
            for name, text in disagreement.eager.python.items()
            if disagreement.found.python.get(name) != text
        ),
    )
    work = _with_pruned(disagreement, work)
    executed = graph_cost.cost(graphs.optimised(disagreement.lab, disagreement.cell))
    if executed is None or executed == 0 < work.executed:  # compiled, or its shapes are not told
        return work
    return replace(work, executed=executed)


def _with_pruned(disagreement: Disagreement, work: Work) -> Work:
    """The work with what a graph was seen to leave out, where something is read by nobody."""
    lab, cell, traced = disagreement.lab, disagreement.cell, disagreement.traced
    own = lab.scenario.source_file()
    if not executed_ops.unread(traced, own):
        return work
    times, costs = executed_ops.eager_counts(lab, cell)
    names = executed_ops.names_executed(lab, cell)
    if names is None:
        return work
    found = executed_ops.pruned(traced, own, times, costs, names)
    return replace(work, counted=float(sum(costs.values())), pruned=tuple(found))


def could_be_unequal(lab: ExperimentRunner, cell: Cell) -> bool:
    """Whether a graph mode of a scenario could do unequal work: a cheap look, at eager only.

    It runs a few eager steps and traces the step once. What every graph is spared shows in the
    trace; Python state that a step changes shows when it is run again.
    """
    with lab.undisturbed():
        program, scenario = lab.program(cell.in_mode(BASELINE))
        feed = lab.subject.feeds[0]
        tensors = [tf.constant(feed[name]) for name in program.task.argument_names()]
        scenario.step(*tensors)
        items = python_state.items(scenario)
        before = python_state.fingerprints(items)
        outside = python_time.outside(lambda: scenario.step(*tensors), SHARE)
        after = python_state.fingerprints(items)
        traced = tf.function(scenario.step).get_concrete_function(*tensors).graph
    changed = _once(name for name, text in after.items() if before[name] != text)
    work = replace(
        _of_eager(lab, traced, lab.scenario.source_file(), outside),
        side_effects=changed,
    )
    left = min(work.executed, graph_cost.distinct(traced))
    if unequal_work(work) or unequal_work(replace(work, executed=left)):
        return True
    unread = executed_ops.unread(traced, lab.scenario.source_file())
    if not unread:
        return False
    times, costs = executed_ops.eager_counts(lab, cell)
    total = float(sum(costs.values()))
    return total >= FLOOR and sum(costs[token] for token in unread if times[token]) >= SHARE * total


def _of_eager(lab: ExperimentRunner, traced: Any, file: str, outside: tuple[float, float]) -> Work:
    """What eager does, and what of it no graph would do."""
    unused = graph_cost.dropped(traced, file)
    constant = graph_cost.constant(traced) - unused
    eager, idle = graph_cost.traced_cost(traced), graph_cost.of(unused | constant)
    return Work(
        eager=eager,
        executed=max(0.0, eager - idle),
        unused=graph_cost.of(unused),
        constant=graph_cost.of(constant),
        outside=outside[0],
        outside_s=outside[1],
        constant_bytes=sum(graph_cost.constant_bytes(traced, file).values()),
        data_bytes=sum(array.nbytes for array in lab.subject.feeds[0].values())
        + sum(graph_cost.bytes_of(tensor) for tensor in traced.outputs),
    )


def _outside(lab: ExperimentRunner, cell: Cell) -> tuple[float, float]:
    """The share of an eager step's time outside of TensorFlow, and the same in seconds a call."""
    with lab.undisturbed():
        program, scenario = lab.program(cell.in_mode(BASELINE))
        feed = lab.subject.feeds[0]
        tensors = [tf.constant(feed[name]) for name in program.task.argument_names()]
        scenario.step(*tensors)
        return python_time.outside(lambda: scenario.step(*tensors), SHARE)


def why(work: Work) -> str:
    """Why the graph computes less, in a few words."""
    left_out = max(work.eager - work.executed, 1.0)
    if work.unused >= SHARE * left_out or work.pruned_share >= SHARE:
        return "a dropped result is pruned"
    if work.constant >= SHARE * left_out:
        return "constant inputs are folded"
    if work.executed < work.eager:
        return "repeated work is shared"
    if work.constant_bytes >= FLOOR_BYTES:
        return "constants are copied in each eager call"
    return "Python's work"
