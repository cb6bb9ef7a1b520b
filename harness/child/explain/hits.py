"""Which toggles' hits are reasons, and what an optimiser's hit shows by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from eager_vs_graph.child.explain.conditions import PLAIN
from eager_vs_graph.child.explain.disagreement import Disagreement
from eager_vs_graph.child.explain.experiments import names, rank
from eager_vs_graph.child.explain.toggles import Hit
from eager_vs_graph.results.explanation import GRAPPLER, XLA, Cause


def that_matter(d: Disagreement, hits: Sequence[Hit]) -> list[Hit]:
    """The hits without those that only make identical what others brought within tolerance.

    Once Python's state is away, graph and eager may still round differently. That is not why they
    were out of tolerance.
    """
    kept = []
    for hit in hits:
        before = {} if hit.before == PLAIN else d.compare(hit.before)
        keys = {
            key
            for key in hit.keys
            if key not in before or rank(before[key]) > 1 or rank(d.differing[key]) <= 1
        }
        if keys:
            kept.append(replace(hit, keys=keys))
    return kept


def without(d: Disagreement, hit: Hit) -> Cause:
    """All that a hit of an optimiser's shows by itself: what it did is not known.

    What was taken away before it stays away: it explains what was left then.
    """
    label, mode = hit.toggle.label, d.cell.mode
    off = {
        GRAPPLER: 'tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})',
        XLA: "leave out jit_compile for this step",
    }
    key = d.worst(hit.keys)
    before = d.found if hit.before == PLAIN else d.observe(hit.before)
    what = "raises; without {} it returns" if d.found.error else "agrees with eager without {}"
    if hit.before != PLAIN:
        what += ", once the causes above are away"
    return Cause(
        hit.toggle.cause,
        label,
        f"{mode} {what.format(label)}",
        off[hit.toggle.cause],
        names(hit.keys),
        evidence=(
            f"{mode} raises {d.found.error}"
            if d.found.error
            else f"{key[1]}: {mode} {d.value(before, key)}",
            f"{key[1]} without {label}: {d.value(d.observe(hit.after), key)}; eager "
            f"{d.value(d.lab.eager(d.cell, hit.after), key)}",
        ),
    )
