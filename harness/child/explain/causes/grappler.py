"""Grappler, the graph optimiser: the pass whose absence restores eager's value."""

from __future__ import annotations

from eager_vs_graph.child.explain import graphs
from eager_vs_graph.child.explain.conditions import PASSES, Condition, only
from eager_vs_graph.child.explain.disagreement import Disagreement, Finding
from eager_vs_graph.child.explain.experiments import names
from eager_vs_graph.results.explanation import GRAPPLER, Cause, Key

_SHOWN = 4


def find(disagreement: Disagreement, keys: set[Key]) -> Finding:
    """Switch all of Grappler off, then its passes one at a time."""
    if not keys or disagreement.eager_itself:
        return Finding()
    off = disagreement.lab.observe(disagreement.cell, Condition(grappler=False))
    restored = disagreement.removed(off, keys)
    if not restored:
        return Finding(excluded=["Grappler: with all of its passes off, nothing changes"])
    found = Finding()
    restoring: dict[Key, list[str]] = {}
    for name in PASSES:
        if not disagreement.lab.in_time():
            found.not_tried.append(f"Grappler's passes from {name} on: out of time")
            break
        without = disagreement.lab.observe(disagreement.cell, Condition(without=frozenset({name})))
        for key in _confirmed(disagreement, name, disagreement.removed(without, restored)):
            restoring.setdefault(key, []).append(name)
    for passes in dict.fromkeys(tuple(each) for each in restoring.values()):
        keys_of = {key for key, each in restoring.items() if tuple(each) == passes}
        found.causes.append(
            _cause(disagreement, passes, keys_of, Condition(without=frozenset(passes[:1])))
        )
        found.explained |= keys_of
    if left := restored - found.explained:
        _made_by_one_alone(disagreement, left, found)
    return found


def _confirmed(disagreement: Disagreement, name: str, keys: set[Key]) -> set[Key]:
    """Of the tensors that a pass seems to change, those that a second experiment shows too."""
    if not keys:
        return keys
    again = Condition(without=frozenset({name}), repetition=1)
    return disagreement.removed(disagreement.lab.observe(disagreement.cell, again), keys)


def _made_by_one_alone(disagreement: Disagreement, left: set[Key], found: Finding) -> None:
    """Where several passes each do it, the absence of one changes nothing: try one pass alone."""
    for name in PASSES:
        if not disagreement.lab.in_time():
            found.not_tried.append(f"Grappler's {name} alone: out of time")
            return
        alone = disagreement.lab.observe(disagreement.cell, only(name))
        made = left - disagreement.removed(alone, left)
        if made and not alone.error:
            found.causes.append(_cause(disagreement, (name,), made, Condition(grappler=False)))
            found.explained |= made
            left = left - made
    if left:
        tensors = names(left)
        found.causes.append(
            Cause(
                GRAPPLER,
                "several passes together",
                "Grappler's passes change the values together; no single one does",
                _remedy(""),
                tensors,
                evidence=("with all passes off the values are eager's",),
            )
        )
        found.explained |= left


def _cause(
    disagreement: Disagreement, passes: tuple[str, ...], keys: set[Key], without: Condition
) -> Cause:
    """The cause, named by the pass; by several where the absence of any one restores the value."""
    name = passes[0]
    key = disagreement.worst(keys)
    mode = disagreement.cell.mode
    restored = disagreement.lab.observe(disagreement.cell, without)
    condition = f"without {name}" if without.grappler else "without any pass"
    evidence = [
        f"{key[1]}: eager {disagreement.value(disagreement.eager, key)}, {mode} "
        f"{disagreement.value(disagreement.found, key)}, "
        f"{mode} {condition} {disagreement.value(restored, key)}"
    ]
    if passes[1:]:
        evidence.append(f"without {' or '.join(passes[1:])} the same")
    evidence += _nodes(disagreement, without)
    return Cause(
        GRAPPLER,
        ", ".join(passes),
        f"Grappler's {' with '.join(passes)} rewrites the graph into one that rounds differently",
        _remedy(name),
        names(keys),
        evidence=tuple(evidence),
    )


def _nodes(disagreement: Disagreement, without: Condition) -> list[str]:
    """The ops before and after the pass, from the graphs that were executed."""
    try:
        after = graphs.optimised(disagreement.lab, disagreement.cell)
        before = graphs.optimised(disagreement.lab, disagreement.cell, without)
    except Exception as error:  # evidence only: the experiment has named the pass
        return [f"the optimised graphs could not be read: {type(error).__name__}"]
    changes = graphs.changed(after, before)
    more = [f"and {len(changes) - _SHOWN} more ops"] if len(changes) > _SHOWN else []
    return [f"the pass {each}" for each in changes[:_SHOWN]] + more


def _remedy(name: str) -> str:
    option = f'{{"{name}": False}}' if name else '{"disable_meta_optimizer": True}'
    return (
        "write the formula in the stable form that both modes compute alike (tf.math.log1p, expm1, "
        f"softplus, …), or tf.config.optimizer.set_experimental_options({option})"
    )
