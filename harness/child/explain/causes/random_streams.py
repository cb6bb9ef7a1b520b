"""TensorFlow's random ops draw other numbers in each mode.

Without an op seed, an eager op takes one from a generator of the eager context, and an op of a
graph one from its number in that graph, so that the same global seed gives other numbers. With an
op seed, the counter still belongs to the kernel: in eager to the op's kind, in a graph to the node.
What XLA draws comes from another algorithm, for the same state too.
"""

from __future__ import annotations

from dataclasses import replace

from eager_vs_graph.child.explain.conditions import Condition
from eager_vs_graph.child.explain.disagreement import Disagreement
from eager_vs_graph.child.explain.experiments import differing, names
from eager_vs_graph.child.explain.toggles import Hit, Toggle
from eager_vs_graph.results.explanation import RANDOM_STREAMS, Cause
from eager_vs_graph.scenario import SEED

_LABEL = "the random draws"
_STATELESS = (
    "draw with tf.random.stateless_* and a seed that is an input or a variable, or with a seeded "
    "tf.random.Generator that is made before the step"
)
_PHILOX = 'name the algorithm: tf.random.stateless_*(…, alg="philox") is the same with XLA'


def toggles(disagreement: Disagreement) -> list[Toggle]:
    """Give every mode the same numbers."""
    if not disagreement.eager.draws and not disagreement.found.draws:
        return []
    return [
        Toggle(
            RANDOM_STREAMS,
            _LABEL,
            lambda condition: replace(condition, draws=True),
            settles=True,
            excluded="random streams: with the same numbers drawn in every mode, nothing changes",
        )
    ]


def causes(disagreement: Disagreement, hit: Hit) -> list[Cause]:
    """The cause that the hit shows."""
    drawn = disagreement.eager.draws or disagreement.found.draws
    key, mode = disagreement.worst(hit.keys), disagreement.cell.mode
    other = "a second eager program" if disagreement.eager_itself else mode
    same, same_eager = (
        disagreement.observe(hit.after),
        disagreement.lab.eager(disagreement.cell, hit.after),
    )
    of_state = all(op.startswith("Stateless") for op in drawn)
    beside = f" (and without {', '.join(hit.beside)})" if hit.beside else ""
    evidence = [
        f"{key[1]}: eager {disagreement.value(disagreement.eager, key)}, {other} "
        f"{disagreement.value(disagreement.found, key)}; with the same numbers drawn in both"
        f"{beside}: eager {disagreement.value(same_eager, key)}, {other} "
        f"{disagreement.value(same, key)}"
    ]
    if not of_state and not disagreement.eager_itself:
        evidence += _reseeded(disagreement, key)
    return [
        Cause(
            RANDOM_STREAMS,
            ", ".join(sorted(drawn)),
            "random ops draw other numbers "
            + ("in every run" if disagreement.eager_itself else f"in {mode} than in eager"),
            _PHILOX if of_state and mode == "xla" else _STATELESS,
            names(hit.keys),
            tuple(dict.fromkeys(line for lines in drawn.values() for line in lines)),
            tuple(evidence),
        )
    ]


def _reseeded(disagreement: Disagreement, key: tuple[str, str]) -> list[str]:
    """What another global seed does to eager's value."""
    other = disagreement.lab.eager(disagreement.cell, Condition(op_seed=SEED + 1))
    compared = disagreement.lab.compare(disagreement.cell, other, disagreement.eager)
    changed = "is" if key in differing(compared) else "is not"
    return [
        f"eager with another global seed gives {disagreement.value(other, key)}: the value "
        f"{changed} another"
    ]
