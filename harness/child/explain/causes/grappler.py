"""Grappler, the graph optimiser: the pass whose absence restores eager's value."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from eager_vs_graph.child.explain import graphs
from eager_vs_graph.child.explain.conditions import PASSES, Condition, only
from eager_vs_graph.child.explain.disagreement import Disagreement
from eager_vs_graph.child.explain.effects import DIGITS, NOT_FINITE, OTHER, ROUNDING, worst_of
from eager_vs_graph.child.explain.experiments import Compared, names, rank
from eager_vs_graph.child.explain.first_op import FirstOp, Search
from eager_vs_graph.child.explain.toggles import Hit, Toggle
from eager_vs_graph.results.explanation import GRAPPLER, OUT_OF_TIME, Cause, Key

_SHOWN = 4
_SUMMARIES = {
    ROUNDING: "Grappler's {} rewrites the graph into one that rounds differently",
    DIGITS: "Grappler's {} rewrites a formula into one that keeps other digits: equal for real "
    "numbers, far apart in floating point",
    NOT_FINITE: "Grappler's {} rewrites a formula so that NaN or infinity comes out of one side "
    "only",
    OTHER: "Grappler's {} changes what the graph means: the result is another one, and it is not "
    "rounding",
}
_DECIDES = (
    "Grappler's {} rewrites {}, which gives other digits, and what follows decides by them: a "
    "comparison, an index or an integer becomes another one"
)
_STABLE = (
    "write the formula in the stable form that both modes compute alike (tf.math.log1p, expm1, "
    "softplus, …), or "
)
_TOLERATE = "accept it as rounding with a stated tolerance, or "
_DECIDE_LATER = "do not decide by the last digits (compare with a margin), or "


def toggles(disagreement: Disagreement) -> list[Toggle]:
    """Switch all of Grappler off."""
    if disagreement.eager_itself or disagreement.cell.mode == "xla":
        return []
    return [
        Toggle(
            GRAPPLER,
            "Grappler",
            lambda condition: replace(condition, grappler=False),
            excluded="Grappler: with all of its passes off, nothing changes",
        )
    ]


Locate = Callable[[set[Key]], Search | None]
"""Looks for the first op that differs on the way to some tensors."""


def causes(disagreement: Disagreement, hit: Hit, locate: Locate) -> tuple[list[Cause], list[str]]:
    """The passes that the hit is about, each by its absence, and what was not tried."""
    before = disagreement.compare(hit.before)
    restoring: dict[Key, list[str]] = {}
    not_tried: list[str] = []
    for name in PASSES:
        if not disagreement.lab.in_time():
            not_tried.append(f"Grappler's passes from {name} on: {OUT_OF_TIME}")
            break
        for key in _confirmed(disagreement, hit, before, name):
            restoring.setdefault(key, []).append(name)
    found: list[Cause] = []
    for passes in dict.fromkeys(tuple(each) for each in restoring.values()):
        keys = {key for key, each in restoring.items() if tuple(each) == passes}
        without = replace(hit.before, without=frozenset(passes[:1]))
        found.append(_cause(disagreement, hit, passes, keys, without, locate))
    if left := hit.keys - restoring.keys():
        found += _made_by_one_alone(disagreement, hit, left, locate)
    return found, not_tried


def _confirmed(disagreement: Disagreement, hit: Hit, before: Compared, name: str) -> set[Key]:
    """The tensors that agree better without a pass, in two experiments."""
    keys = set(hit.keys)
    for repetition in (0, 1):
        without = replace(hit.before, without=frozenset({name}), repetition=repetition)
        found = disagreement.lab.observe(disagreement.cell, without)
        eager = disagreement.lab.eager(disagreement.cell, hit.before)
        after = disagreement.lab.compare(disagreement.cell, found, eager)
        keys = {key for key in keys if key in after and rank(after[key]) < rank(before[key])}
        if not keys:
            break
    return keys


def _made_by_one_alone(
    disagreement: Disagreement, hit: Hit, left: set[Key], locate: Locate
) -> list[Cause]:
    """Where several passes each do it, the absence of one changes nothing: try one pass alone."""
    found = []
    for name in PASSES:
        if not left or not disagreement.lab.in_time():
            break
        alone = disagreement.compare(only(name, hit.before))
        made = {key for key in left if key in alone and rank(alone[key])}
        if made:
            found.append(_cause(disagreement, hit, (name,), made, hit.after, locate))
            left = left - made
    if left:
        found.append(
            Cause(
                GRAPPLER,
                "several passes together",
                "Grappler's passes change the values together; no single one does",
                _remedy("", OTHER),
                names(left),
                evidence=("with all passes off the values are eager's",),
            )
        )
    return found


def _cause(
    disagreement: Disagreement,
    hit: Hit,
    passes: tuple[str, ...],
    keys: set[Key],
    without: Condition,
    locate: Locate,
) -> Cause:
    """The cause, named by the pass; by several where the absence of any one restores the value."""
    looked = locate(keys)
    first = looked.found if looked is not None else None
    name = passes[0]
    key = disagreement.worst(keys)
    mode = disagreement.cell.mode
    restored, found = disagreement.observe(without), disagreement.observe(hit.before)
    eager = disagreement.lab.eager(disagreement.cell, hit.before)
    condition = f"without {name}" if without.grappler else "without any pass"
    evidence = [
        f"{key[1]}: eager {disagreement.value(eager, key)}, {mode} "
        f"{disagreement.value(found, key)}, "
        f"{mode} {condition} {disagreement.value(restored, key)}"
    ]
    if passes[1:]:
        evidence.append(f"without {' or '.join(passes[1:])} the same")
    evidence += _nodes(disagreement, hit, without, first)
    kind, summary = _meaning(disagreement, hit, key, " with ".join(passes), first)
    return Cause(
        GRAPPLER,
        ", ".join(passes),
        summary,
        _remedy(name, kind),
        names(keys),
        (first.eager.where(),) if first is not None and first.eager.line else (),
        tuple(evidence),
    )


def _meaning(
    disagreement: Disagreement, hit: Hit, key: Key, passes: str, first: FirstOp | None
) -> tuple[str, str]:
    """What the rewrite does to the output, and the sentence for it."""
    found = disagreement.observe(hit.before)
    eager = disagreement.lab.eager(disagreement.cell, hit.before)
    kind = worst_of(found.values(key), eager.values(key))
    if kind == OTHER and first is not None and first.of_floats():
        return "decides", _DECIDES.format(passes, first.eager.type)
    return kind, _SUMMARIES[kind].format(passes)


def _nodes(
    disagreement: Disagreement, hit: Hit, without: Condition, first: FirstOp | None
) -> list[str]:
    """The ops before and after the pass, from the graphs that were executed."""
    try:
        after = graphs.optimised(disagreement.lab, disagreement.cell, hit.before)
        before = graphs.optimised(disagreement.lab, disagreement.cell, without)
    except Exception as error:  # evidence only: the experiment has named the pass
        return [f"the optimised graphs could not be read: {type(error).__name__}"]
    changes = graphs.changed(after, before)
    near = _near(changes, first)
    more = [f"and {len(changes) - _SHOWN} more ops"] if len(changes) > _SHOWN else []
    return [f"the pass {each}" for each in near[:_SHOWN]] + more


def _near(changes: Sequence[graphs.Change], first: FirstOp | None) -> list[graphs.Change]:
    """The changes, those of the op that differs first."""
    if first is None or first.graph.operation is None:
        return list(changes)
    name = first.graph.operation.name.rpartition("/")[2]
    return sorted(changes, key=lambda each: not each.mentions(name))


def _remedy(name: str, kind: str) -> str:
    option = f'{{"{name}": False}}' if name else '{"disable_meta_optimizer": True}'
    off = f"tf.config.optimizer.set_experimental_options({option})"
    beginning = {
        ROUNDING: _TOLERATE,
        DIGITS: _STABLE,
        NOT_FINITE: _STABLE,
        "decides": _DECIDE_LATER,
    }.get(kind, "")
    return f"{beginning}{off}"
