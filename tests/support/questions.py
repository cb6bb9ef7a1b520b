"""Why does this program differ? Asked in the process of the tests, once for all of them."""

from __future__ import annotations

import atexit
import time
from functools import cache
from typing import NamedTuple

from commands import REPOSITORY

from eager_vs_graph.catalog import find as catalog
from eager_vs_graph.catalog.user_code import entries_of
from eager_vs_graph.child.adopt.loading import load
from eager_vs_graph.child.explain import engine
from eager_vs_graph.child.explain.isolated import Workers
from eager_vs_graph.child.explaining import isolate
from eager_vs_graph.child.parity import check as parity
from eager_vs_graph.child.parity.subject import Subject
from eager_vs_graph.results.cells import Cell
from eager_vs_graph.results.explanation import Explanation

OTHERS = REPOSITORY / "tests" / "reports_of_others"
CAUSES = REPOSITORY / "tests" / "causes"
CONTROLS = CAUSES / "controls"
LONG_S = 3600.0
"""Seconds for a question, so that no experiment is left out on a busy machine."""

PROCESS_S = 300.0
"""Seconds for an experiment in a process of its own: without some of XLA's passes, one may hang."""

_workers = Workers()
"""Made when tests are collected: no op has run by then."""
atexit.register(_workers.close)


class Question(NamedTuple):
    """A program in a mode; a name without a colon is a scenario of ``tests/causes``."""

    program: str
    arguments: tuple[str, ...] = ("float32[4]",)
    mode: str = "function"
    in_processes: bool = True
    """Whether experiments may have processes of their own."""


class Answer(NamedTuple):
    """What came of a question."""

    subject: Subject
    explanation: Explanation


def entries(folder):
    """The scenarios of a folder, by name."""
    return {entry.name: entry for entry in catalog.entries([folder])}


@cache
def ask(question: Question) -> Answer:
    """The explanation of a program's mode, and what the program was made from."""
    if ":" in question.program:
        path = [str(OTHERS)]
        entry = entries_of(question.program, arguments=question.arguments, path=path)[0]
    else:
        entry = {**entries(CAUSES), **entries(CONTROLS)}[question.program]
    (size,) = entry.sizes
    subject = parity.subject(load(entry), size)
    cell = Cell(entry.name, size, question.mode, "CPU:0", "resident")
    isolated = isolate(_workers, entry, subject, lambda _cell, _name: None, seconds=PROCESS_S)
    found = engine.explain(
        subject,
        [cell],
        time.monotonic() + LONG_S,
        lambda _cell: None,
        isolate=isolated if question.in_processes else None,
    )
    return Answer(subject, next(each for each in found if each.cell == cell.id))
