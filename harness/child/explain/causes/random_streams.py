"""TensorFlow's stateful random ops: their streams differ between modes by construction.

Without an op seed, an eager op takes one from a generator of the eager context, and an op of a
graph one from its number in that graph, so that the same global seed gives other numbers. With an
op seed, the counter still belongs to the kernel: in eager to the op's kind, in a graph to the node.
"""

from __future__ import annotations

from typing import Any

from eager_vs_graph.child.explain import graphs
from eager_vs_graph.child.explain.conditions import Condition
from eager_vs_graph.child.explain.disagreement import Disagreement, Finding
from eager_vs_graph.child.explain.experiments import disagreeing, names
from eager_vs_graph.results.explanation import RANDOM_STREAMS, Cause, Key
from eager_vs_graph.scenario import SEED


def find(disagreement: Disagreement, keys: set[Key]) -> Finding:
    """Change TensorFlow's global seed, and nothing else: what changes comes from a stream."""
    if not keys or disagreement.eager.error:
        return Finding()
    operations = random_operations(disagreement)
    if not operations:
        return Finding(excluded=["random streams: the step's graph has no stateful random op"])
    other = disagreement.lab.eager(disagreement.cell, Condition(op_seed=SEED + 1))
    depends = set(
        disagreeing(disagreement.lab.compare(disagreement.cell, other, disagreement.eager))
    )
    streams = (keys & depends) - disagreement.unsteady
    if not streams:
        return Finding(excluded=["random streams: another seed changes no tensor in question"])
    key = disagreement.worst(streams)
    file = str(disagreement.source.file)
    numbers = {graphs.line_of(op, file) for op in operations}
    where = [
        disagreement.source.place(number) for number in sorted(n for n in numbers if n is not None)
    ]
    kinds = sorted({op.type for op in operations})
    mode = "eager's second run" if disagreement.eager_itself else disagreement.cell.mode
    cause = Cause(
        RANDOM_STREAMS,
        ", ".join(kinds),
        "stateful random ops draw from another stream in each mode, by construction",
        "draw with tf.random.stateless_* and a seed that is an input or a variable, or with a "
        "seeded tf.random.Generator that build assigns to self",
        names(streams),
        tuple(where),
        (
            f"{key[1]}: eager {disagreement.value(disagreement.eager, key)}, {mode} "
            f"{disagreement.value(disagreement.found, key)}, eager with another global seed "
            f"{disagreement.value(other, key)}; a fresh eager program with the same seed "
            "repeats its value",
            "op seeds in the graph: " + "; ".join(_seeds(op) for op in operations[:4]),
        ),
    )
    return Finding([cause], streams)


def random_operations(disagreement: Disagreement) -> list[Any]:
    """The stateful random ops of the step's graph: stateful, with the two seeds as attributes."""
    if disagreement.traced is None:
        return []
    return [op for op in graphs.operations(disagreement.traced) if _is_random(op)]


def _is_random(operation: Any) -> bool:
    attributes = operation.node_def.attr
    return bool(operation.op_def.is_stateful) and "seed" in attributes and "seed2" in attributes


def _seeds(operation: Any) -> str:
    attributes = operation.node_def.attr
    return f"{operation.type}(seed={attributes['seed'].i}, seed2={attributes['seed2'].i})"
