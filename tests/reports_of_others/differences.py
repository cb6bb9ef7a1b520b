"""Asks the harness about every report of ``table.py``, and writes docs/differences.md.

    python tests/reports_of_others/differences.py [--write] [--judge] [--missing] [PART OF A NAME …]

One process asks about all of them, as ``eager-vs-graph explain`` does about one. What it says
is kept in build/differences.json; ``--judge`` asks nothing and judges that again;
``--missing`` asks about the rest.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
KEPT = REPOSITORY / "build" / "differences.json"
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]

from in_process import start_tensorflow  # noqa: E402
from page import Answer, judged, line, page, total  # noqa: E402
from table import CONTROLS, REPORTS  # noqa: E402

SECONDS = 90.0
"""For one report: more than ``explain`` takes, as this machine may be busy."""


def ask(report, workers):
    """What the harness says of a report: data, as a record would keep it."""
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
        time.monotonic() + SECONDS,
        lambda _cell: None,
        isolate=isolate(workers, entry, subject, lambda _cell, _name: None),
    )
    explanation = next(each for each in found if each.cell == cell.id)
    return {
        "status": explanation.status,
        "tensors": len(explanation.tensors),
        "origins": [asdict(each) for each in explanation.origins],
        "causes": [asdict(each) for each in explanation.causes],
        "unexplained": explanation.unexplained,
        "not_tried": explanation.not_tried,
    }


def asked(reports, *, shown):
    """Ask about some reports; an answer as it comes."""
    start_tensorflow()
    import tensorflow as tf

    from eager_vs_graph.child.explain.isolated import Workers

    tf.get_logger().setLevel("ERROR")
    workers = Workers()
    try:
        for report in reports:
            began = time.monotonic()
            try:
                told = ask(report, workers)
            except Exception as error:  # a report that cannot be asked about is a finding, too
                told = {"status": f"{type(error).__name__}: {error}"[:300]}
            if shown:
                print(json.dumps(told, indent=1, default=str))
            yield report, told, time.monotonic() - began
    finally:
        workers.close()


def main(arguments):
    """Ask, print and write."""
    parts = [each for each in arguments if not each.startswith("--")]
    every = (*REPORTS, *CONTROLS)
    wanted = [each for each in every if not parts or any(part in each.key for part in parts)]
    kept = json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.is_file() else {}
    if "--missing" in arguments:
        wanted = [each for each in wanted if each.key not in kept]
    if "--judge" not in arguments:
        for report, told, seconds in asked(wanted, shown=bool(parts)):
            kept[report.key] = {**json.loads(json.dumps(told, default=str)), "seconds": seconds}
            KEPT.write_text(json.dumps(kept), encoding="utf-8")
            print(line(judged(report, kept[report.key])), flush=True)
    answers: list[Answer] = [judged(each, kept[each.key]) for each in every if each.key in kept]
    if "--judge" in arguments:
        print("\n".join(map(line, answers)))
    print(total(answers))
    if "--write" in arguments:
        (REPOSITORY / "docs" / "differences.md").write_text(page(answers), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
