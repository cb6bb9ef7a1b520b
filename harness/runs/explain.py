"""The parent's side of ``explain``: child processes, their limits, and what they found together."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec

from eager_vs_graph.catalog.selection import Selection
from eager_vs_graph.errors import UsageError
from eager_vs_graph.processes.jobs import ExplainJob
from eager_vs_graph.processes.journal import Event
from eager_vs_graph.processes.supervise import Limits, Outcome, run_child
from eager_vs_graph.results.explanation import Explanation, FreshResult
from eager_vs_graph.runs import process_conditions
from eager_vs_graph.runs.progress import Progress

SECONDS = 55.0
"""Wall seconds for one question; experiments that would begin later are not tried."""
_FRESH_S = 12.0
"""Seconds that must be left for another process to be worth its start."""
_MAX_LOST = 5


@dataclass(frozen=True)
class ExplainRequest:
    """What to explain."""

    selection: Selection
    limits: Limits = field(default_factory=Limits)
    seconds: float = SECONDS
    scripts: bool = False
    """Whether to write a script for each disagreement."""
    cells: list[str] = field(default_factory=list)
    """Ids of the cells; empty: every cell of the scenarios."""
    reserve_s: float = 0.0
    """Of ``seconds``, those that are kept for the conditions that take fresh processes."""


@dataclass(frozen=True)
class ExplainResult:
    """The explanations, and the scripts by cell."""

    explanations: list[Explanation]
    scripts: dict[str, str] = field(default_factory=dict)


def explain(request: ExplainRequest, folder: Path, progress: Progress) -> ExplainResult:
    """Explain cells.

    Args:
        request: the scenarios, and which of their cells.
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
        if attempt and request.seconds - (time.monotonic() - began) < _FRESH_S:
            break
        job = _job(request, began, done=list(explanations))
        name = f"explain-{attempt}"
        outcome = _run(request, job, folder, name, progress, explanations, scripts)
        if outcome.status == "complete":
            break
        if outcome.cell is None:
            raise UsageError(f"the process that explains {outcome.status}: {outcome.reason}")
        explanations[outcome.cell] = Explanation(outcome.cell, outcome.status, outcome.reason)
    else:
        raise UsageError(f"{_MAX_LOST} cells ended their process; narrow the question")
    found = list(explanations.values())
    return ExplainResult(_with_fresh_processes(request, found, folder, progress, began), scripts)


def _with_fresh_processes(
    request: ExplainRequest,
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
        if request.seconds - (time.monotonic() - began) < _FRESH_S:
            return [
                replace(each, not_tried=(*each.not_tried, f"{condition}: out of time"))
                if process_conditions.open_under(condition, each)
                else each
                for each in after
            ]
        progress.stage(f"a fresh process: {condition}")
        job = replace(_job(request, began), condition=condition, cells=open_)
        seen: list[FreshResult] = []
        outcome = _run(request, job, folder, f"fresh-{number}", progress, {}, {}, seen)
        results += seen
        if outcome.status != "complete":
            told = {result.cell for result in seen}
            results += [
                FreshResult(condition, cell, error=outcome.reason)
                for cell in open_
                if cell not in told
            ]
    return [process_conditions.conclude(each, results) for each in explanations]


def _run(
    request: ExplainRequest,
    job: ExplainJob,
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
                explanation = msgspec.convert(event, Explanation)
                explanations[explanation.cell] = explanation
                progress.advance(explanation.cell)
            case "script" if event["text"]:
                scripts[event["cell"]] = event["text"]
            case "fresh" if results is not None:
                results.append(msgspec.convert(event, FreshResult))

    hear: Callable[[Event], None] = listen
    environment = process_conditions.environment(job.condition)
    return run_child(job, folder, name, hear, request.limits, progress.tick, environment)


def _job(request: ExplainRequest, began: float, done: Sequence[str] = ()) -> ExplainJob:
    return ExplainJob(
        selection=request.selection,
        seconds=request.seconds - request.reserve_s - (time.monotonic() - began),
        done=list(done),
        scripts=request.scripts,
        cells=request.cells,
    )
