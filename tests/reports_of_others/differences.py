"""Asks the harness about every report of ``table.py``, and writes docs/differences.md.

    python tests/reports_of_others/differences.py [--write] [PART OF A NAME …]

One process asks about all of them, as ``eager-vs-graph explain`` does about one.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]

from in_process import start_tensorflow  # noqa: E402
from table import CONTROLS, REPORTS, Report  # noqa: E402

NOT_REPRODUCIBLE = "not reproducible on this version"
FLAGGED = "flagged"


@dataclass(frozen=True)
class Answer:
    """What the harness says of a report."""

    report: Report
    status: str
    op: str
    line: str
    causes: tuple[str, ...]
    seconds: float
    right: str
    """``right``, ``wrong``, ``no cause`` or ``not reproducible …``."""


def ask(report, workers):
    """The explanation of a report's cell."""
    from eager_vs_graph.catalog.user_code import entries_of
    from eager_vs_graph.child.adopt.loading import load
    from eager_vs_graph.child.explain import engine
    from eager_vs_graph.child.explaining import isolate
    from eager_vs_graph.child.parity import check as parity
    from eager_vs_graph.results.cells import Cell

    entry = entries_of(report.program, arguments=report.arguments, path=[str(HERE)])[0]
    scenario = load(entry)
    (size,) = entry.sizes
    cell = Cell(entry.name, size, report.mode, "CPU:0", "resident")
    subject = parity.subject(scenario, size)
    found = engine.explain(
        subject,
        [cell],
        time.monotonic() + 120,
        lambda _cell: None,
        isolate=isolate(workers, entry, subject, lambda _cell, _name: None),
    )
    return next(each for each in found if each.cell == cell.id)


def judged(report, explanation, seconds):
    """The answer, held against what is expected."""
    origin = next((each for each in explanation.origins if each.op), None)
    causes = [each for each in explanation.causes if each.name != "unequal work"]
    lines = [line for each in causes for line in each.where]
    if origin is not None and origin.line:
        lines.insert(0, origin.line)
    return Answer(
        report,
        explanation.status,
        origin.op if origin is not None else "",
        lines[0] if lines else "",
        tuple(f"{each.name}: {each.what}" for each in causes),
        seconds,
        _word(report, explanation, origin, causes, lines),
    )


def _word(report, explanation, origin, causes, lines):
    differs = bool(explanation.tensors) or explanation.status not in ("identical", "close")
    if not differs and not causes:
        return NOT_REPRODUCIBLE if report.number else "right"
    if not report.number:
        return "wrong"
    name, what = report.cause
    fitting = [
        each
        for each in causes
        if each.name == name and _any(what, f"{each.what} {each.summary} {' '.join(each.evidence)}")
    ]
    if not causes:
        return "no cause"
    op = origin is None or not report.op or origin.op in report.op.split("|")
    line = not report.line or any(_any(report.line, each) for each in lines)
    return "right" if len(fitting) == len(causes) and op and line else "wrong"


def _any(alternatives, text):
    return any(each in text for each in alternatives.split("|"))


def main(arguments):
    """Ask, print and write."""
    write = "--write" in arguments
    parts = [each for each in arguments if not each.startswith("--")]
    from eager_vs_graph.child.explain.isolated import Workers

    start_tensorflow()
    import tensorflow as tf

    tf.get_logger().setLevel("ERROR")
    workers = Workers()
    answers = []
    try:
        for report in (*REPORTS, *CONTROLS):
            if parts and not any(part in f"{report.number} {report.program}" for part in parts):
                continue
            began = time.monotonic()
            try:
                explanation = ask(report, workers)
            except Exception as error:  # a report that cannot be asked about is a finding, too
                text = f"{type(error).__name__}: {error}"
                answers.append(Answer(report, text[:200], "", "", (), 0.0, "wrong"))
            else:
                answers.append(judged(report, explanation, time.monotonic() - began))
                if parts:
                    print(explanation)
            print(_printed(answers[-1]), flush=True)
    finally:
        workers.close()
    print(_sum(answers))
    if write:
        from page import page

        (REPOSITORY / "docs" / "differences.md").write_text(page(answers), encoding="utf-8")


def _printed(answer):
    causes = "; ".join(answer.causes)
    return (
        f"{answer.right:<12.12} {answer.report.number or 'control':<28} {answer.report.program} "
        f"[{answer.report.mode}] {answer.status} | {answer.op} | {answer.line} | {causes} "
        f"| {answer.seconds:.1f} s"
    )


def _sum(answers):
    words = [each.right for each in answers if each.report.number]
    controls = [each.right for each in answers if not each.report.number]
    shown = ", ".join(f"{word}: {words.count(word)}" for word in dict.fromkeys(words))
    return f"reports {shown}; controls silent: {controls.count('right')} of {len(controls)}"


if __name__ == "__main__":
    main(sys.argv[1:])
