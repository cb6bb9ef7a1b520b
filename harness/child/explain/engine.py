"""From a scenario to the explanations of its cells: which experiments, in which order."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from eager_vs_graph.child.explain import causes
from eager_vs_graph.child.explain.accuracy import judge
from eager_vs_graph.child.explain.causes import grappler, raises, xla
from eager_vs_graph.child.explain.conditions import PLAIN, Condition
from eager_vs_graph.child.explain.disagreement import Disagreement
from eager_vs_graph.child.explain.effects import effect
from eager_vs_graph.child.explain.experiments import (
    ExperimentRunner,
    Observation,
    differing,
    names,
    rank,
)
from eager_vs_graph.child.explain.first_op import Search, first_differing_step, search
from eager_vs_graph.child.explain.hits import that_matter, without
from eager_vs_graph.child.explain.probes import MODES as LOOKED_INTO
from eager_vs_graph.child.explain.profile import profile
from eager_vs_graph.child.explain.source import Source
from eager_vs_graph.child.explain.toggles import Found, Hit, Toggle
from eager_vs_graph.child.explain.toggles import search as search_toggles
from eager_vs_graph.child.parity import check as parity
from eager_vs_graph.child.parity import python_state
from eager_vs_graph.child.parity.subject import Subject
from eager_vs_graph.errors import one_line
from eager_vs_graph.modes import BASELINE
from eager_vs_graph.results.cells import Cell
from eager_vs_graph.results.explanation import (
    GRAPPLER,
    OUT_OF_TIME,
    Cause,
    Explanation,
    FreshResult,
    Judgement,
    Key,
    Origin,
    Profile,
)
from eager_vs_graph.results.record import (
    AGREEING,
    IDENTICAL,
    NONDETERMINISTIC,
    UNSUPPORTED,
    CellParity,
    TensorComparison,
)

T = TypeVar("T")
Isolate = Callable[[Cell, Condition, Mapping[str, str]], Observation]
"""Runs a cell's program under a condition in a process with these environment variables."""
Stage = Callable[[Cell, str], None]

_FRESH_REPETITIONS = 4
_PROFILES = 3
"""Tensors of a cell that are drawn."""


def explain(
    subject: Subject,
    cells: Sequence[Cell],
    deadline: float,
    starting: Callable[[Cell], None],
    *,
    stage: Stage = lambda _cell, _name: None,
    ended: Mapping[str, Collection[str]] = {},
    partial: Callable[[Explanation], None] = lambda _explanation: None,
    isolate: Isolate | None = None,
) -> Iterator[Explanation]:
    """Find the status of every cell as parity does, and the causes of what is not identical.

    Whatever an experiment raises costs that experiment only.

    Args:
        subject: the scenario and size of all the cells.
        cells: the cells; eager is run whether it is among them or not.
        deadline: ``time.monotonic()`` after which no experiment begins.
        starting: is told the cell before anything of it runs.
        stage: is told the cell and the experiment before it begins.
        ended: by scenario and size, ``name/size``, experiments that have ended a process.
        partial: is given what was found of a cell so far, before what may take long.
        isolate: runs a program in a process of its own; None where there is none.
    """
    eager = [cell.in_mode(BASELINE) for cell in cells[:1]]
    asked = list(dict.fromkeys([*eager, *cells]))
    lab = ExperimentRunner(subject, deadline)
    checked = list(parity.check(subject, asked, starting))
    source = Source(subject.scenario, _reached(lab, asked[0]))
    settled: frozenset[str] = frozenset()
    for number, result in enumerate(checked):
        now = time.monotonic()
        lab.until(now + (deadline - now) / (len(checked) - number))  # each has its share
        cell = Cell.parse(result.cell)
        starting(cell)
        explainer = _Explainer(
            Disagreement(lab, result, source, settled),
            result,
            _Stages(lab, cell, stage, ended.get(f"{cell.scenario}/{cell.size}", ())),
            partial,
            isolate,
        )
        explanation = explainer.explanation()
        if cell.mode == BASELINE:
            settled = frozenset(name for cause in explanation.causes for name in cause.tensors)
        yield explanation


def _reached(lab: ExperimentRunner, cell: Cell) -> set[tuple[str, int]]:
    """The user's functions in reach of a step."""
    try:
        _program, scenario = lab.program(cell)
        return python_state.functions(scenario)
    except Exception:  # then lines are looked for in the whole file
        return set()


class _Stages:
    """Runs one experiment after the other; one that fails costs itself."""

    def __init__(
        self, lab: ExperimentRunner, cell: Cell, stage: Stage, ended: Collection[str]
    ) -> None:
        self.not_tried: list[str] = []
        self._lab, self._cell, self._stage, self._ended = lab, cell, stage, ended

    def starting(self, name: str) -> bool:
        """Say what begins; whether it may."""
        if name in self._ended:
            return False
        self._stage(self._cell, name)
        return True

    def run(
        self, name: str, experiment: Callable[[], T], otherwise: T, *, at_any_time: bool = False
    ) -> T:
        """An experiment's result; ``otherwise`` where it is not made or fails."""
        if not (at_any_time or self._lab.in_time()):
            self.not_tried.append(f"{name}: {OUT_OF_TIME}")
        elif not self.starting(name):
            self.not_tried.append(f"{name}: it ended or held up its process")
        else:
            try:
                return experiment()
            except Exception as error:
                self.not_tried.append(
                    f"{name}: it raised {type(error).__name__}: {one_line(error)}"
                )
        return otherwise


class _Explainer:
    """One cell's explanation in the making."""

    def __init__(
        self,
        disagreement: Disagreement,
        result: CellParity,
        stages: _Stages,
        partial: Callable[[Explanation], None],
        isolate: Isolate | None,
    ) -> None:
        self.d, self.result, self.stages, self.isolate = disagreement, result, stages, isolate
        self.partial = partial
        self.causes: list[Cause] = []
        self.origins: list[Origin] = []
        self.excluded: list[str] = []
        self._base = Explanation(result.cell, result.status, result.reason)
        self._looked: dict[tuple[Key, Condition], Search | None] = {}
        self._began = time.monotonic()

    def explanation(self) -> Explanation:
        """All that can be found of the cell."""
        return self._now(self._explained())

    def _now(self, explanation: Explanation) -> Explanation:
        """An explanation with what was found so far."""
        return replace(
            explanation,
            causes=tuple(self.causes),
            origins=tuple(self.origins),
            excluded=tuple(self.excluded),
            not_tried=tuple(dict.fromkeys(self.stages.not_tried)),
            seconds=time.monotonic() - self._began,
        )

    def _tell(self, open_: set[Key]) -> None:
        explained = {name for cause in self.causes for name in cause.tensors}
        left = tuple(name for name in names(open_) if name not in explained)
        self.partial(self._now(replace(self._base, unexplained=left)))

    def _explained(self) -> Explanation:
        d, result = self.d, self.result
        explanation = self._base
        if result.status == UNSUPPORTED:
            return explanation
        if not self.stages.run("running both modes", lambda: bool(d.found and d.eager), False):
            return explanation
        if d.eager.error:
            if d.eager_itself or d.found.error:
                self.excluded.append("eager itself fails: there is nothing to compare")
                return explanation
            self.causes += self.stages.run(
                "why eager raises", lambda: raises.of_eager(d), list[Cause]()
            )
            return replace(explanation, tensors=self.result.tensors)
        explanation = self._base = self._compared(explanation)
        found = self.stages.run("comparing", self._toggled, Found())
        if not d.found.error:
            self._of_tensors(found)
        return self._with_tensors(explanation, found)

    def _toggled(self) -> Found:
        """Take away one thing after the other, and say what each that matters means."""
        d, stages = self.d, self.stages
        if not d.differing:
            return Found()
        toggles: list[Toggle] = []
        for name, make in causes.TOGGLES:
            toggles += stages.run(name, lambda make=make: make(d), list[Toggle]())  # type: ignore[misc]
        self._tell(set(d.differing))
        found = search_toggles(d, toggles, stages.starting)
        stages.not_tried += found.not_tried
        self.excluded += found.excluded
        for hit in that_matter(d, found.hits):
            self._tell(set(d.differing))
            is_simple = hit.toggle.cause in causes.SIMPLE
            self.causes += stages.run(
                f"what {hit.toggle.label} means",
                lambda hit=hit: self._meaning(hit),  # type: ignore[misc]
                [] if is_simple else [without(d, hit)],
                # The experiment that shows it has been made; without it, the next cause would be
                # taken for the whole reason.
                at_any_time=is_simple,
            )
        if d.found.error and found.open:
            told = stages.run("why the mode raises", lambda: raises.of_mode(d), list[Cause]())
            self.causes += [replace(cause, tensors=names(found.open)) for cause in told]
            found.ranks = dict.fromkeys(found.ranks, 0) if told else found.ranks
        return found

    def _meaning(self, hit: Hit) -> list[Cause]:
        """The causes that a hit shows."""
        d = self.d
        if hit.toggle.cause in causes.SIMPLE:
            return causes.SIMPLE[hit.toggle.cause](d, hit)
        if d.found.error:
            return [without(d, hit)]

        def locate(keys: set[Key]) -> Search | None:
            return self._first_op(keys, hit.before)

        if hit.toggle.cause == GRAPPLER:
            found, not_tried = grappler.causes(d, hit, locate)
        else:
            isolated = None
            if self.isolate is not None:
                cell, isolate = d.cell, self.isolate
                isolated = lambda variables: isolate(cell, hit.before, variables)  # noqa: E731
            found, not_tried = xla.causes(d, hit, locate, isolated)
        self.stages.not_tried += not_tried
        return found

    def _first_op(self, keys: set[Key], condition: Condition) -> Search | None:
        """Look for the first op that differs under a condition, and note what came of it."""
        key = self.d.worst(keys)
        if (key, condition) not in self._looked:
            self._looked[key, condition] = self._search(key, condition)
        return self._looked[key, condition]

    def _search(self, key: Key, condition: Condition) -> Search | None:
        d, cell = self.d, self.d.cell
        found = d.observe(condition)
        step = first_differing_step(found, d.lab.eager(cell, condition))
        if cell.mode not in LOOKED_INTO:
            instead = cell.in_mode("function")
            plain = d.lab.observe(instead, condition)
            if plain.error or differing(d.lab.compare(cell, plain, found)):
                seen = f"the program of {cell.mode} cannot be looked into"
                self.origins.append(Origin(key[1], step, seen=seen))
                return None
            cell, found = instead, plain
        looked = self.stages.run(
            f"the first op that differs on the way to {key[1]}",
            lambda: search(d.lab, cell, condition, key, found),
            None,
        )
        if looked is not None:
            self.origins.append(_origin(key, step, looked))
        return looked

    def _of_tensors(self, found: Found) -> None:
        """What is said whatever explains the values, and of what nothing explains."""
        d, stages = self.d, self.stages
        # What differs anyway carries no speed-up, and needs no reason to withhold one.
        of_work = causes.OF_WORK if self.result.status in AGREEING else ()
        for name, find in (*causes.OF_TENSORS, *of_work):
            finding = stages.run(name, lambda find=find: find(d, found.open), None)  # type: ignore[misc]
            if finding is None:
                continue
            self.causes += finding.causes
            self.excluded += finding.excluded
            stages.not_tried += finding.not_tried
            found.ranks.update(dict.fromkeys(finding.explained, 0))
        steady = found.open - d.unsteady - d.unsteady_mode if found.ranks else set()
        if steady and not d.eager_itself and not self.origins:
            self._first_op(steady, found.base)

    def _compared(self, explanation: Explanation) -> Explanation:
        """How far the tensors are apart, and who is right: known before anything is looked for."""
        d, result = self.d, self.result
        shown = sorted(d.differing, key=lambda key: (-rank(d.differing[key]), key))
        judged = self.stages.run(
            "who is right",
            lambda: [each for k in shown if (each := judge(d, k))],
            list[Judgement](),
        )
        profiles = self.stages.run(
            "errors by element", lambda: list(_profiles(d, result, shown)), list[Profile]()
        )
        return replace(
            explanation,
            tensors=tuple(_as_parity_says(result, d, key) for key in shown),
            against_reference=tuple(_out_of_tolerance(result)),
            judgements=tuple(judged),
            profiles=tuple(profiles),
            unexplained=names(shown),
        )

    def _with_tensors(self, explanation: Explanation, found: Found) -> Explanation:
        d, result = self.d, self.result
        keys = set(d.differing)
        unsteady = keys & (d.unsteady | d.unsteady_mode) & (found.open if found.ranks else keys)
        of_eager = unsteady & d.unsteady
        open_ = found.open if found.ranks else keys
        return replace(
            explanation,
            status=_status(result, {name for _kind, name in of_eager}),
            unexplained=names(open_),
            unsteady=names(unsteady),
        )


def _origin(key: Key, step: int, looked: Search) -> Origin:
    first = looked.found
    if first is None:
        return Origin(key[1], step, seen=looked.seen, hidden=looked.hidden)
    eager = first.eager.values[first.output] if first.eager.values else None
    seen = effect(first.value, eager) if eager is not None else None
    return Origin(
        key[1],
        step,
        first.eager.type,
        first.eager.where(),
        seen.index if seen is not None else (),
        seen.value if seen is not None else "another value",
        seen.eager if seen is not None else "one value",
        seen.far() if seen is not None else "",
        bool(first.inputs_same) and not first.given,
        first.given,
        first.turn,
        looked.hidden,
    )


def _out_of_tolerance(result: CellParity) -> Iterator[TensorComparison]:
    for tensor in result.tensors:
        if tensor.against == "reference" and tensor.status not in AGREEING:
            yield tensor


def _profiles(d: Disagreement, result: CellParity, shown: list[Key]) -> Iterator[Profile]:
    """Of the worst tensors, outputs first; where modes agree, of those out of the reference's."""
    if d.found.error:
        return
    steps = {key: d.differing[key].worst_step for key in shown}
    for tensor in () if steps else _out_of_tolerance(result):
        steps[tensor.kind, tensor.tensor] = tensor.worst_step
    for key in sorted(steps, key=lambda key: key[0] != "output")[:_PROFILES]:
        if key in d.keys:
            last = d.lab.steps - 1
            found = profile(d, key, last if steps[key] is None else int(steps[key] or 0))
            if found is not None:
                yield found


def _as_parity_says(result: CellParity, d: Disagreement, key: Key) -> TensorComparison:
    """The comparison with parity's status: parity knows what was declared and unsteady."""
    tensor = d.differing[key]
    if d.eager_itself or key in d.unsteady:
        tensor = replace(tensor, status=NONDETERMINISTIC)
    for seen in result.tensors:
        same = (seen.kind, seen.tensor, seen.against) == (*key, BASELINE)
        if same and seen.status != IDENTICAL:
            return replace(tensor, status=seen.status, known=seen.known)
    return tensor


def _status(result: CellParity, unsteady: set[str]) -> str:
    """Parity's status; ``nondeterministic`` where more runs than parity's two show just that."""
    bad = {tensor.tensor for tensor in result.tensors if tensor.status not in AGREEING}
    # A failure stands; and a tensor that is steady and wrong is to be seen.
    repeats = any(tensor.detail.endswith(parity.REPEATS) for tensor in result.tensors)
    if unsteady and result.tensors and bad <= unsteady and not repeats:
        return NONDETERMINISTIC
    return result.status


def observe_fresh(
    subject: Subject, cells: Sequence[Cell], condition: str, starting: Callable[[Cell], None]
) -> Iterator[FreshResult]:
    """In a process that has taken on a condition: run each cell's mode and eager, several times."""
    lab = ExperimentRunner(subject, time.monotonic() + 1e6)
    for cell in cells:
        starting(cell)
        try:
            subject.build(cell.in_mode(BASELINE)).close()
            yield _fresh_result(lab, cell, condition)
        except Exception as error:  # it costs this cell only
            yield FreshResult(
                condition, cell.id, error=f"{type(error).__name__}: {one_line(error)}"
            )


def _fresh_result(lab: ExperimentRunner, cell: Cell, condition: str) -> FreshResult:
    eager = lab.eager(cell)
    second = PLAIN if cell.mode != BASELINE else Condition(repetition=1)
    found = lab.observe(cell, second)
    if eager.error or found.error:
        return FreshResult(condition, cell.id, error=eager.error or found.error)
    steadiness: dict[str, str] = {}
    for repetition in range(2, 2 + _FRESH_REPETITIONS):
        for mode, first in ((BASELINE, eager), (cell.mode, found)):
            again = lab.observe(cell.in_mode(mode), Condition(repetition=repetition))
            apart = differing(lab.compare(cell, again, first))
            steadiness.update({key[1]: tensor.status for key, tensor in apart.items()})
    compared = lab.compare(cell, found, eager)
    return FreshResult(
        condition,
        cell.id,
        {key[1]: tensor.status for key, tensor in compared.items()},
        {key[1]: steadiness.get(key[1], IDENTICAL) for key in compared},
        {
            key[1]: (tensor.value or "", tensor.reference or "")
            for key, tensor in compared.items()
            if tensor.value is not None
        },
    )
