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
from eager_vs_graph.errors import one_line
from eager_vs_graph.results.explanation import OUT_OF_TIME, Key

_LONG = 120


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
    covers: bool = False
    """Whether it takes away what others do, too: where they explain it, it is not asked."""
    only: frozenset[Key] | None = None
    """The tensors that it is asked about; None: all."""
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
    untouched = dict(found.ranks)
    usable: list[Toggle] = []
    waiting = list(toggles)
    while waiting:
        hits = len(found.hits)
        failed = [
            each
            for each in waiting
            if not _tried(disagreement, each, found, unsteady, usable, starting)
        ]
        # What raised may run where something else is away.
        waiting = failed if len(found.hits) > hits and found.open else []
    for some in ([each for each in usable if not each.covers], usable):
        left = {key for key in found.open if found.ranks[key] == untouched[key]}
        if len(some) > 1 and left and disagreement.lab.in_time():
            _together(disagreement, some, left, found)
    mattering = {id(hit.toggle) for hit in found.hits}
    found.excluded += [
        each.excluded for each in usable if each.excluded and id(each) not in mattering
    ]
    return found


def _tried(
    disagreement: Disagreement,
    toggle: Toggle,
    found: Found,
    unsteady: set[Key],
    usable: list[Toggle],
    starting: Callable[[str], bool],
) -> bool:
    """Try one toggle; False where one of the programs raises without it."""
    asked = found.open if toggle.settles else found.open - unsteady
    asked = asked if toggle.only is None else asked & toggle.only
    if not asked:
        return True
    if not disagreement.lab.in_time():
        found.not_tried.append(f"without {toggle.label}: {OUT_OF_TIME}")
        return True
    if not starting(toggle.label):
        found.not_tried.append(f"without {toggle.label}: it ended or held up its process")
        return True
    condition = toggle.away(found.base)
    after = disagreement.compare(condition)
    if not after:
        reason = _why_not(disagreement, condition)
        if reason != one_line(disagreement.found.error, _LONG):  # as before is no news
            found.not_tried.append(f"without {toggle.label}: {reason}")
        return False
    usable.append(toggle)
    if better := _better(found.ranks, after, asked):
        found.hits.append(Hit(toggle, better, found.base, condition))
        found.base = condition
        found.ranks.update({key: rank(after[key]) for key in better})
    return True


def _together(
    disagreement: Disagreement, usable: Sequence[Toggle], left: set[Key], found: Found
) -> None:
    """What is only explained by several toggles: each that has to be away, lest it differs."""
    needed = list(usable)
    best = disagreement.compare(_all_away(found.base, needed))
    better = _better(found.ranks, best, left) if best else set()
    if not better:
        return
    # Each in turn is given back; where the tensors still agree, it was not needed.
    for toggle in usable:
        fewer = [each for each in needed if each is not toggle]
        if not disagreement.lab.in_time():
            break
        after = disagreement.compare(_all_away(found.base, fewer))
        if after and all(key in after and rank(after[key]) <= rank(best[key]) for key in better):
            needed = fewer
    before = found.base
    for toggle in needed:
        others = [each for each in needed if each is not toggle]
        base = _all_away(before, others)
        after = disagreement.compare(base)
        worse = {key for key in better if key in after and rank(after[key]) > rank(best[key])}
        found.hits.append(
            Hit(
                toggle,
                worse or better,
                base,
                toggle.away(base),
                tuple(each.label for each in others),
            )
        )
    found.base = _all_away(before, needed)
    found.ranks.update({key: rank(best[key]) for key in better})


def _all_away(base: Condition, toggles: Sequence[Toggle]) -> Condition:
    for toggle in toggles:
        base = toggle.away(base)
    return base


def _better(ranks: dict[Key, int], after: Compared, asked: set[Key]) -> set[Key]:
    """Tensors that agree better: within tolerance and not out of it, or identical."""
    return {key for key in asked if key in after and rank(after[key]) < ranks[key]}


def _why_not(disagreement: Disagreement, condition: Condition) -> str:
    eager = disagreement.lab.eager(disagreement.cell, condition)
    reason = eager.error or disagreement.observe(condition).error or "it gave nothing to compare"
    return one_line(reason, _LONG)
