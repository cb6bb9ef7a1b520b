"""The parent's side of ``explain``: child processes, their limits, and what they found together."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from eager_vs_graph.catalog.find import Entry
from eager_vs_graph.child.explain import process_conditions
from eager_vs_graph.errors import UsageError
from eager_vs_graph.processes.jobs import ExplainPlan
from eager_vs_graph.processes.journal import Event
from eager_vs_graph.processes.supervise import Limits, Outcome, run_child
from eager_vs_graph.results.explanation import Explanation, FreshResult, explanation_from
from eager_vs_graph.runs.progress import Progress

SECONDS = 55.0
"""Wall seconds for one question; experiments that would begin later are not tried."""
_FRESH_S = 12.0
"""Seconds that must be left for another process to be worth its start."""
_MAX_LOST = 5


@dataclass(frozen=True)
class Question:
    """What to explain."""

    entries: list[Entry]
    sizes: list[str]
    modes: list[str]
    devices: list[str]
    inputs: list[str]
    limits: Limits = field(default_factory=Limits)
    seconds: float = SECONDS
    scripts: bool = False
    """Whether to write a script for each disagreement."""
    cells: list[str] = field(default_factory=list)
    """Ids of the cells; empty: every cell of the scenarios."""
    logical_cpus: int = 1
    reserve_s: float = 0.0
    """Of ``seconds``, those that are kept for the conditions that take fresh processes."""


@dataclass(frozen=True)
class Answer:
    """The explanations, and the scripts by cell."""

    explanations: list[Explanation]
    scripts: dict[str, str] = field(default_factory=dict)


def explain(question: Question, folder: Path, progress: Progress) -> Answer:
    """Explain cells.

    Args:
        question: the scenarios, and which of their cells.
        folder: for plans, journals and output of the processes.
        progress: is told.

    Raises:
        UsageError: the scenario breaks its contract, or its cells end too many processes.
        Interrupted: the user stopped it.
    """
    began = time.monotonic()
    progress.stage("importing TensorFlow")
    explanations: dict[str, Explanation] = {}
    scripts: dict[str, str] = {}
    for attempt in range(_MAX_LOST):
        if attempt and question.seconds - (time.monotonic() - began) < _FRESH_S:
            break
        plan = _plan(question, began, done=list(explanations))
        name = f"explain-{attempt}"
        outcome = _run(question, plan, folder, name, progress, explanations, scripts)
        if outcome.word == "complete":
            break
        if outcome.cell is None:
            raise UsageError(f"the process that explains {outcome.word}: {outcome.reason}")
        explanations[outcome.cell] = Explanation(outcome.cell, outcome.word, outcome.reason)
    else:
        raise UsageError(f"{_MAX_LOST} cells ended their process; narrow the question")
    found = list(explanations.values())
    return Answer(_with_fresh_processes(question, found, folder, progress, began), scripts)


def _with_fresh_processes(
    question: Question,
    explanations: list[Explanation],
    folder: Path,
    progress: Progress,
    began: float,
) -> list[Explanation]:
    results: list[FreshResult] = []
    for number, condition in enumerate(process_conditions.needed(explanations)):
        after = [process_conditions.conclude(each, results) for each in explanations]
        open_ = [each.cell for each in after if process_conditions.open_under(condition, each)]
        if not open_:
            continue
        if question.seconds - (time.monotonic() - began) < _FRESH_S:
            return [
                replace(each, not_tried=(*each.not_tried, f"{condition}: out of time"))
                if process_conditions.open_under(condition, each)
                else each
                for each in after
            ]
        progress.stage(f"a fresh process: {condition}")
        plan = replace(_plan(question, began), condition=condition, cells=open_)
        seen: list[FreshResult] = []
        outcome = _run(question, plan, folder, f"fresh-{number}", progress, {}, {}, seen)
        results += seen
        if outcome.word != "complete":
            told = {result.cell for result in seen}
            results += [
                FreshResult(condition, cell, error=outcome.reason)
                for cell in open_
                if cell not in told
            ]
    return [process_conditions.conclude(each, results) for each in explanations]


def _run(
    question: Question,
    plan: ExplainPlan,
    folder: Path,
    name: str,
    progress: Progress,
    explanations: dict[str, Explanation],
    scripts: dict[str, str],
    results: list[FreshResult] | None = None,
) -> Outcome:
    def listen(event: Event) -> None:
        match event.pop("event"):
            case "grid":
                progress.stage("experiments", len(event["cells"]))
            case "explanation":
                explanation = explanation_from(event)
                explanations[explanation.cell] = explanation
                progress.advance(explanation.cell)
            case "script" if event["text"]:
                scripts[event["cell"]] = event["text"]
            case "fresh" if results is not None:
                results.append(FreshResult(**event))

    hear: Callable[[Event], None] = listen
    environment = process_conditions.environment(plan.condition)
    return run_child(plan, folder, name, hear, question.limits, progress.tick, environment)


def _plan(question: Question, began: float, done: Sequence[str] = ()) -> ExplainPlan:
    return ExplainPlan(
        entries=question.entries,
        sizes=question.sizes,
        modes=question.modes,
        devices=question.devices,
        inputs=question.inputs,
        seconds=question.seconds - question.reserve_s - (time.monotonic() - began),
        done=list(done),
        scripts=question.scripts,
        cells=question.cells,
        logical_cpus=question.logical_cpus,
    )
