"""Experiments in processes of their own: other flags, or what may end or hold up a process.

XLA's flags are read once in a process, when it compiles first. Where the system forks, each
experiment runs in a copy of a process that has imported TensorFlow and has not run an op: that
takes a fraction of a second in place of TensorFlow's import. Elsewhere it is started afresh.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from eager_vs_graph.catalog.entry import Entry
    from eager_vs_graph.child.explain.conditions import Condition
    from eager_vs_graph.child.explain.experiments import Observation
    from eager_vs_graph.scenario import State


@dataclass(frozen=True)
class Isolated:
    """An experiment for a process of its own."""

    entry: Entry
    size: str
    cell: str
    condition: Condition
    initial: State
    """The variables to begin with, so that eager need not be built."""


class Workers:
    """Starts a process for each experiment. Make it before TensorFlow's first op."""

    def __init__(self) -> None:
        self._forks = sys.platform == "linux"
        self._server: Any = None
        if self._forks:
            context = multiprocessing.get_context("fork")
            self._connection, theirs = context.Pipe()
            self._server = context.Process(target=_serve, args=(theirs, self._connection))
            self._server.start()
            theirs.close()

    def run(
        self, experiment: Isolated, environment: Mapping[str, str], timeout_s: float
    ) -> Observation:
        """Run an experiment with these environment variables.

        Raises:
            RuntimeError: the process ended without a result, or took too long.
        """
        job = (experiment, dict(environment), timeout_s)
        if not self._forks:
            result = _started(job, "spawn")
        else:
            self._connection.send(job)
            if not self._connection.poll(timeout_s + 30):
                raise RuntimeError("no answer from the process that starts others")
            result = self._connection.recv()
        failed = isinstance(result, str)
        if failed:
            raise RuntimeError(result)
        return result  # type: ignore[no-any-return]

    def close(self) -> None:
        """End the process that starts others."""
        if self._server is not None:
            with suppress(OSError):
                self._connection.send(None)
            self._server.join(2)
            if self._server.is_alive():
                self._server.kill()
                self._server.join()
            self._server = None


def _serve(connection: Connection, theirs: Connection) -> None:
    """Start a process for each experiment that is sent, until the other side closes."""
    theirs.close()
    while True:
        try:
            job = connection.recv()
        except (EOFError, OSError):
            return
        if job is None:
            return
        connection.send(_started(job, "fork"))


def _started(job: tuple[Isolated, dict[str, str], float], method: str) -> Any:
    """The result of an experiment in a new process, or why there is none."""
    context = multiprocessing.get_context(method)
    receiving, sending = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(sending, *job[:2]))  # type: ignore[attr-defined]
    process.start()
    sending.close()
    try:
        if not receiving.poll(job[2]):
            return f"no result after {job[2]:.0f} s"
        return receiving.recv()
    except EOFError:
        process.join(5)
        code = process.exitcode
        return "its process ended" + (f" with code {code}" if code is not None else "")
    finally:
        if process.is_alive():
            process.kill()
        process.join()


def _work(sending: Connection, experiment: Isolated, environment: Mapping[str, str]) -> None:
    os.environ.update(environment)
    try:
        found = _observed(experiment)
    except BaseException as error:  # whatever it is, the other side is to know
        sending.send(f"{type(error).__name__}: {error}")
    else:
        sending.send(found)
    sending.close()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # what TensorFlow does at the end of a process is of no use here


def _observed(experiment: Isolated) -> Observation:
    from eager_vs_graph.child.adopt.loading import load
    from eager_vs_graph.child.explain.experiments import ExperimentRunner
    from eager_vs_graph.child.parity.subject import subject
    from eager_vs_graph.results.cells import Cell

    of = subject(load(experiment.entry), experiment.size)
    of.initial = experiment.initial
    lab = ExperimentRunner(of, float("inf"))
    found = lab.observe(Cell.parse(experiment.cell), experiment.condition)
    return replace(found, raised=None)
