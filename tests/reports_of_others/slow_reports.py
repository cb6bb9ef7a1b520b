"""Asks the harness why every program of ``slow_table.py`` is slow, and writes docs/why.md.

    python tests/reports_of_others/slow_reports.py [--write] [--judge] [--missing] [--scenarios] \
[PART OF A NAME …]

One process asks about all of them, as ``eager-vs-graph why`` does about one. What it says is kept
in build/slow.json; ``--judge`` asks nothing and judges that again; ``--missing`` asks about the
rest; ``--scenarios`` asks about the built-in scenarios in all timed modes as well.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
KEPT = REPOSITORY / "build" / "slow.json"
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]

import msgspec  # noqa: E402
from in_process import start_tensorflow  # noqa: E402
from slow_page import judged, line, page, total  # noqa: E402
from slow_table import CONTROLS, REPORTS  # noqa: E402

from eager_vs_graph.results.why import CellWhy  # noqa: E402

SECONDS = 60.0
"""For one report, as this machine may be busy."""
MODES = ("eager", "function", "session", "xla")


def ask(report):
    """What the harness says of a report."""
    from eager_vs_graph.catalog.user_code import entries_of

    program = f"slow:{report.program}"
    entry = entries_of(program, arguments=report.arguments, path=[str(HERE)])[0]
    return of(entry, report.mode, tries=True)


def of(entry, mode, *, tries=False):
    """Why an entry is slow in a mode, at its first size; with the changes that help, or without."""
    from eager_vs_graph.child.adopt.loading import load
    from eager_vs_graph.child.parity.subject import subject
    from eager_vs_graph.child.why import engine
    from eager_vs_graph.results.cells import Cell

    size = (entry.default_sizes or list(entry.sizes))[0]
    cell = Cell(entry.name, size, mode, "CPU:0", "resident")
    until = time.monotonic() + SECONDS
    found, _ = engine.why(subject(load(entry), size), cell, until, lambda _stage: tries)
    return found


def scenarios():
    """The built-in scenarios in every timed mode."""
    from eager_vs_graph.catalog.find import select

    for entry in select([]):
        for mode in MODES:
            size = entry.default_sizes[0]
            yield f"{entry.name}/{size}/{mode}/CPU:0/resident", lambda e=entry, m=mode: of(e, m)


def asked(name, question, kept):
    """Ask one question; what cannot be asked is a finding, too."""
    began = time.monotonic()
    try:
        found = asdict(question())
    except Exception as error:
        found = {"cell": "a/b/c/d/e", "error": f"{type(error).__name__}: {error}"[:300]}
    kept[name] = {**json.loads(json.dumps(found)), "asked_s": time.monotonic() - began}
    KEPT.parent.mkdir(exist_ok=True)
    KEPT.write_text(json.dumps(kept), encoding="utf-8")
    return answer(kept[name])


def answer(content):
    """What was kept, as the harness has it."""
    return msgspec.convert({k: v for k, v in content.items() if k != "asked_s"}, CellWhy)


def main(arguments):
    """Ask, print and write."""
    parts = [each for each in arguments if not each.startswith("--")]
    every = (*REPORTS, *CONTROLS)
    wanted = [each for each in every if not parts or any(part in each.key for part in parts)]
    kept = json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.is_file() else {}
    if "--judge" not in arguments:
        start_tensorflow()
        import tensorflow as tf

        tf.get_logger().setLevel("ERROR")
        for report in wanted:
            if "--missing" not in arguments or report.key not in kept:
                found = asked(report.key, lambda r=report: ask(r), kept)
                print(line(judged(report, found)), flush=True)
        if "--scenarios" in arguments:
            for name, question in scenarios():
                if "--missing" not in arguments or name not in kept:
                    found = asked(name, question, kept)
                    print(name, found.error or f"{1e6 * found.call_s:.0f} µs", flush=True)
    answers = [judged(each, answer(kept[each.key])) for each in every if each.key in kept]
    if "--judge" in arguments:
        print("\n".join(map(line, answers)))
    print(total(answers))
    if "--write" in arguments:
        built_in = {name: answer(each) for name, each in kept.items() if name.count("/") == 4}
        text = page(answers, built_in)
        (REPOSITORY / "docs" / "why.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
