"""The parent's side of ``explain``: child processes, their limits, and what they found together."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec

from eager_vs_graph.catalog.selection import Selection
from eager_vs_graph.catalog.variables import variables_of
from eager_vs_graph.errors import UsageError
from eager_vs_graph.processes.jobs import NO_EXPERIMENT, ExplainJob
from eager_vs_graph.processes.journal import Event
from eager_vs_graph.processes.supervise import Limits, Outcome, run_child
from eager_vs_graph.results.explanation import OUT_OF_TIME, Explanation, FreshResult
from eager_vs_graph.results.record import CRASHED, TIMEOUT
from eager_vs_graph.runs import process_conditions
from eager_vs_graph.runs.progress import Progress

SECONDS = 55.0
"""Wall seconds for one question; experiments that would begin later are not tried."""
_FRESH_S = 12.0
"""Seconds that must be left for another process to be worth its start."""
_MAX_LOST = 5
_HOW = {CRASHED: "it ended its process", TIMEOUT: "it did not end"}
_SILENCE_S = 30.0
"""Seconds without a word after which an experiment is taken for one that never ends…"""
_SILENCE = 0.75
"""… or this part of the question's seconds, where that is longer."""


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
        UsageError: the scenario breaks its contract, or the process ends before any cell.
        Interrupted: the user stopped it.
    """
    began = time.monotonic()
    progress.stage("importing TensorFlow")
    found: dict[str, Explanation] = {}
    finished: list[str] = []
    ended: dict[str, list[str]] = {}
    scripts: dict[str, str] = {}
    for attempt in range(_MAX_LOST):
        if attempt and request.seconds - (time.monotonic() - began) < _FRESH_S:
            break
        job = replace(_job(request, began, done=finished), ended=ended)
        heard = _Heard(found, finished, scripts)
        outcome = _run(request, job, folder, f"explain-{attempt}", progress, heard)
        if outcome.status == "complete":
            break
        if outcome.cell is None:
            raise UsageError(f"the process that explains {outcome.status}: {outcome.reason}")
        if heard.held_up_s:
            outcome = replace(
                outcome, status=TIMEOUT, reason=f"given up after {heard.held_up_s:.0f} s"
            )
        _note_ended(outcome, found, finished, ended)
    explanations = list(found.values())
    return ExplainResult(
        _with_fresh_processes(request, explanations, folder, progress, began), scripts
    )


def _note_ended(
    outcome: Outcome,
    found: dict[str, Explanation],
    finished: list[str],
    ended: dict[str, list[str]],
) -> None:
    """Leave out the experiment that ended its process; where it was none, the cell."""
    cell = outcome.cell or ""
    how = f"{outcome.stage}: {_HOW.get(outcome.status, outcome.status)} ({outcome.reason})"
    group = "/".join(cell.split("/")[:2])
    if outcome.stage in NO_EXPERIMENT or outcome.stage in ended.get(group, ()):
        before = found.get(cell, Explanation(cell, outcome.status, outcome.reason))
        found[cell] = replace(before, not_tried=(*before.not_tried, how))
        finished.append(cell)
        return
    ended.setdefault(group, []).append(outcome.stage)
    # What was found so far is kept, in case there is no time for more.
    before = found.get(cell, Explanation(cell, outcome.status, outcome.reason))
    found[cell] = replace(before, not_tried=(*before.not_tried, how))


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
                replace(each, not_tried=(*each.not_tried, f"{condition}: {OUT_OF_TIME}"))
                if process_conditions.open_under(condition, each)
                else each
                for each in after
            ]
        progress.stage(f"a fresh process: {condition}")
        job = replace(_job(request, began), condition=condition, cells=open_)
        heard = _Heard()
        outcome = _run(request, job, folder, f"fresh-{number}", progress, heard)
        results += heard.results
        if outcome.status != "complete":
            told = {result.cell for result in heard.results}
            results += [
                FreshResult(condition, cell, error=outcome.reason)
                for cell in open_
                if cell not in told
            ]
    return [process_conditions.conclude(each, results) for each in explanations]


@dataclass
class _Heard:
    """What a process that explains has said."""

    found: dict[str, Explanation] = field(default_factory=dict)
    finished: list[str] = field(default_factory=list)
    """Ids of the cells of which all is said."""
    scripts: dict[str, str] = field(default_factory=dict)
    held_up_s: float = 0.0
    """Seconds after which the process gave up its last experiment."""
    results: list[FreshResult] = field(default_factory=list)


def _run(
    request: ExplainRequest,
    job: ExplainJob,
    folder: Path,
    name: str,
    progress: Progress,
    heard: _Heard,
) -> Outcome:
    def listen(event: Event) -> None:
        match event.pop("event"):
            case "grid":
                progress.stage("experiments", len(event["cells"]))
            case "cell":
                progress.cell(event["cell"])
            case "explanation":
                is_whole = event.pop("whole")
                explanation = msgspec.convert(event, Explanation)
                heard.found[explanation.cell] = explanation
                if is_whole:
                    heard.finished.append(explanation.cell)
                    progress.advance()
            case "held_up":
                heard.held_up_s = event["seconds"]
            case "script" if event["text"]:
                heard.scripts[event["cell"]] = event["text"]
            case "fresh":
                heard.results.append(msgspec.convert(event, FreshResult))

    environment = {
        **variables_of(request.selection.entries),
        **process_conditions.environment(job.condition),
    }
    silence_s = max(_SILENCE_S, _SILENCE * request.seconds)
    limits = replace(request.limits, silence_s=min(request.limits.silence_s, silence_s))
    return run_child(job, folder, name, listen, limits, progress.tick, environment)


def _job(request: ExplainRequest, began: float, done: Sequence[str] = ()) -> ExplainJob:
    return ExplainJob(
        selection=request.selection,
        seconds=request.seconds - request.reserve_s - (time.monotonic() - began),
        done=list(done),
        scripts=request.scripts,
        cells=request.cells,
    )
