"""One disagreement under examination, and what a cause module hands back."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from eager_vs_graph.child.explain import graphs
from eager_vs_graph.child.explain.conditions import PLAIN, Condition
from eager_vs_graph.child.explain.experiments import (
    Compared,
    ExperimentRunner,
    Observation,
    differing,
    rank,
)
from eager_vs_graph.child.explain.source import Source
from eager_vs_graph.modes import BASELINE
from eager_vs_graph.results.cells import Cell
from eager_vs_graph.results.explanation import Cause, Key
from eager_vs_graph.results.record import ERROR, NONDETERMINISTIC, CellParity, TensorComparison

_REPETITIONS = 6
"""Fresh programs that a tensor must be the same in to be called steady…"""
_REPETITIONS_S = 2.0
"""… or as many as fit into this time, but two at least."""


@dataclass
class Finding:
    """What one cause module found."""

    causes: list[Cause] = field(default_factory=list)
    explained: set[Key] = field(default_factory=set)
    excluded: list[str] = field(default_factory=list)
    not_tried: list[str] = field(default_factory=list)


class Disagreement:
    """A mode against eager, or eager against a second program of its own.

    Names in ``settled`` are tensors in which eager disagrees with itself for a reason that is found
    already: where a mode agrees with eager's first run, it has nothing to explain.
    """

    def __init__(
        self,
        lab: ExperimentRunner,
        result: CellParity,
        source: Source,
        settled: frozenset[str] = frozenset(),
    ) -> None:
        self.lab = lab
        self.cell = cell = Cell.parse(result.cell)
        self.source = source
        self._seen_unsteady = {
            (tensor.kind, tensor.tensor): tensor
            for tensor in result.tensors[::-1]  # what is against eager comes first
            if tensor.status == NONDETERMINISTIC and tensor.tensor not in settled
        }
        self.eager_itself = cell.mode == BASELINE

    def under(self, condition: Condition) -> Condition:
        """A condition for the program in question: eager's is a second one."""
        return replace(condition, repetition=1) if self.eager_itself else condition

    def observe(self, condition: Condition) -> Observation:
        """The program in question under a condition."""
        return self.lab.observe(self.cell, self.under(condition))

    def compare(self, condition: Condition) -> Compared:
        """Both sides under a condition; nothing where one of them fails under it."""
        found = self.observe(condition)
        return self.lab.compare(self.cell, found, self.lab.eager(self.cell, condition))

    @cached_property
    def found(self) -> Observation:
        """The program in question, as it ordinarily runs."""
        return self.observe(PLAIN)

    @cached_property
    def eager(self) -> Observation:
        """What it is compared with."""
        return self.lab.eager(self.cell)

    @cached_property
    def differing(self) -> Compared:
        """The tensors that are not bit-identical; all, where the mode fails and eager does not."""
        if self.found.error and not self.eager.error:
            return {key: _failed(key, self.found.error) for key in self.keys}
        found = differing(self.lab.compare(self.cell, self.found, self.eager))
        # What parity saw change from run to run may have come out the same here, by chance.
        fresh = self._fresh_eager if self.eager_itself else {}
        seen = {key: each for key, each in self._seen_unsteady.items() if key in self.keys}
        return {**seen, **fresh, **found}

    @cached_property
    def keys(self) -> list[Key]:
        """Every tensor that eager gives."""
        outputs = [("output", name) for name in self.eager.outputs[0]]
        return outputs + [("variable", name) for name in self.eager.states[-1]]

    @cached_property
    def unsteady(self) -> set[Key]:
        """The tensors in which fresh eager programs disagree, from the same state and seeds."""
        now = self.lab.compare(self.cell, self.found, self.eager)
        by_chance = {key for key in self._seen_unsteady if key in now and not rank(now[key])}
        return by_chance | self._fresh_eager.keys()

    @cached_property
    def _fresh_eager(self) -> Compared:
        return self._unsteady(BASELINE, self.eager)

    @cached_property
    def unsteady_mode(self) -> set[Key]:
        """The tensors in which fresh programs of the mode disagree."""
        if self.eager_itself or self.found.error:
            return set()
        return set(self._unsteady(self.cell.mode, self.found))

    def _unsteady(self, mode: str, first: Observation) -> Compared:
        """Where fresh programs of a mode differ from the first one."""
        cell = self.cell.in_mode(mode)
        began = time.monotonic()
        unsteady: Compared = {}
        for repetition in range(1, 1 + _REPETITIONS):
            if repetition > 2 and time.monotonic() - began > _REPETITIONS_S:
                break
            again = self.lab.observe(cell, Condition(repetition=repetition))
            unsteady.update(differing(self.lab.compare(cell, again, first)))
        return unsteady

    @cached_property
    def traced(self) -> Any:
        """The step's own graph; None where it cannot be traced."""
        try:
            return graphs.trace(self.lab, self.cell)
        except Exception:  # the mode's own error has said so already
            return None

    def value(self, observation: Observation, key: Key, step: int | None = None) -> str:
        """The value of a tensor's worst element, as text."""
        if observation.error:
            return f"an error ({observation.error})"
        tensor = self.differing.get(key)
        values = observation.values(key)
        at = tensor.worst_step if tensor is not None and step is None else step
        value = values[at if at is not None and at < len(values) else -1]
        index = tensor.worst_index if tensor is not None else None
        if index is None or len(index) != value.ndim:
            index = tuple(0 for _ in value.shape) if value.size else None
        return str(value if index is None else value[index])

    def history(self, observation: Observation, key: Key) -> str:
        """The value of a tensor's worst element in each step, as text."""
        if observation.error:
            return self.value(observation, key)
        steps = range(len(observation.outputs))
        return ", ".join(self.value(observation, key, step) for step in steps)

    def worst(self, keys: Iterable[Key]) -> Key:
        """The tensor that is worst of some: the one to show."""
        return max(keys, key=lambda key: (rank(self.differing[key]), key[0] == "output", key))

    def operations_of(self, key: Key) -> set[Any] | None:
        """The operations that an output depends on; None where that is not known."""
        if self.traced is None or key[0] != "output":
            return None
        # A mapping of outputs is flattened in the order of its sorted names.
        names = sorted(self.eager.outputs[0])
        outputs = self.traced.outputs
        if len(outputs) != len(names):
            return None
        return graphs.ancestors([outputs[names.index(key[1])]])


def _failed(key: Key, error: str) -> TensorComparison:
    return TensorComparison(key[1], key[0], "eager", ERROR, detail=error)


def as_wide(array: Any) -> Any:
    """An array in double precision."""
    return np.asarray(array).astype(np.complex128 if array.dtype.kind == "c" else np.float64)
