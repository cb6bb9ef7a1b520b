"""Finds which changes of conditions make a mode agree with eager: one at a time, then together.

A *toggle* takes one thing away from both programs: Python state that moves on, random draws, an
optimiser. A tensor that agrees better without it is explained by it, and what is left of the
difference is explained under that condition, so that one cause swallows no other. Where two causes
act on the same tensor, taking away either changes nothing; so what is still open is tried with
everything away, and each thing is then given back alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from eager_vs_graph.child.explain.conditions import PLAIN, Condition
from eager_vs_graph.child.explain.disagreement import Disagreement
from eager_vs_graph.child.explain.experiments import Compared, rank
from eager_vs_graph.results.explanation import Key


@dataclass(frozen=True)
class Toggle:
    """Something that can be taken away from both programs."""

    cause: str
    """The cause that it would show; one of ``results.explanation.CAUSES``."""
    label: str
    """What is taken away, such as the name of a Python variable or ``AutoGraph``."""
    away: Callable[[Condition], Condition]
    """The condition without it."""
    settles: bool = False
    """Whether it settles what changes from run to run, too."""
    excluded: str = ""
    """What to say where it changes nothing; empty: nothing."""


@dataclass
class Hit:
    """A toggle without which tensors agree better."""

    toggle: Toggle
    keys: set[Key]
    before: Condition
    """What held already."""
    after: Condition
    beside: tuple[str, ...] = ()
    """Labels of others that have to be away, too, for these tensors to agree."""


@dataclass
class Found:
    """What the toggles came to."""

    hits: list[Hit] = field(default_factory=list)
    base: Condition = PLAIN
    """Everything away that explained something."""
    ranks: dict[Key, int] = field(default_factory=dict)
    """How bad each tensor still is under ``base``."""
    excluded: list[str] = field(default_factory=list)
    not_tried: list[str] = field(default_factory=list)

    @property
    def open(self) -> set[Key]:
        """Tensors that still differ."""
        return {key for key, value in self.ranks.items() if value}


def search(
    disagreement: Disagreement,
    toggles: Sequence[Toggle],
    starting: Callable[[str], bool] = lambda _label: True,
) -> Found:
    """Try every toggle.

    Args:
        disagreement: the cell.
        toggles: what can be taken away, in the order to try.
        starting: is told what is tried; whether to try it.
    """
    found = Found(ranks={key: rank(each) for key, each in disagreement.differing.items()})
    unsteady = disagreement.unsteady | disagreement.unsteady_mode
    usable: list[Toggle] = []
    untouched = dict(found.ranks)
    for toggle in toggles:
        asked = found.open if toggle.settles else found.open - unsteady
        if not asked:
            continue
        if not disagreement.lab.in_time():
            found.not_tried.append(f"without {toggle.label}: out of time")
            continue
        if not starting(toggle.label):
            found.not_tried.append(f"without {toggle.label}: it ended or held up its process")
            continue
        condition = toggle.away(found.base)
        after = disagreement.compare(condition)
        if not after:
            found.not_tried.append(f"without {toggle.label}: {_why_not(disagreement, condition)}")
            continue
        usable.append(toggle)
        better = _better(found.ranks, after, asked)
        if better:
            found.hits.append(Hit(toggle, better, found.base, condition))
            found.base = condition
            found.ranks.update({key: rank(after[key]) for key in better})
        elif toggle.excluded:
            found.excluded.append(toggle.excluded)
    left = {key for key in found.open if found.ranks[key] == untouched[key]}
    if len(usable) > 1 and left and disagreement.lab.in_time():
        _together(disagreement, usable, left, found)
    return found


def _together(
    disagreement: Disagreement, usable: Sequence[Toggle], left: set[Key], found: Found
) -> None:
    """What is only explained by several toggles: each that has to be away, lest it differs."""
    everything = found.base
    for toggle in usable:
        everything = toggle.away(everything)
    best = disagreement.compare(everything)
    better = _better(found.ranks, best, left) if best else set()
    if not better:
        return
    needed: list[tuple[Toggle, set[Key]]] = []
    for toggle in usable:
        others = found.base
        for each in usable:
            if each is not toggle:
                others = each.away(others)
        if others == everything or not disagreement.lab.in_time():
            continue
        without_the_others = disagreement.compare(others)
        worse = {
            key
            for key in better
            if key in without_the_others and rank(without_the_others[key]) > rank(best[key])
        }
        if worse:
            needed.append((toggle, worse))
    before = found.base
    labels = [toggle.label for toggle, _keys in needed]
    for toggle, worse in needed:
        beside = tuple(label for label in labels if label != toggle.label)
        base = before
        for other, _keys in needed:
            if other is not toggle:
                base = other.away(base)
        found.hits.append(Hit(toggle, worse, base, toggle.away(base), beside))
    for toggle, _keys in needed:
        found.base = toggle.away(found.base)
    now = disagreement.compare(found.base)
    found.ranks.update({key: rank(now[key]) for key in better if key in now})


def _better(ranks: dict[Key, int], after: Compared, asked: set[Key]) -> set[Key]:
    """Tensors that agree better: within tolerance and not out of it, or identical."""
    return {key for key in asked if key in after and rank(after[key]) < ranks[key]}


def _why_not(disagreement: Disagreement, condition: Condition) -> str:
    eager = disagreement.lab.eager(disagreement.cell, condition)
    return eager.error or disagreement.observe(condition).error or "it gave nothing to compare"
