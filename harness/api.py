"""``eager_vs_graph.compare``: a function compared from a script or a notebook.

The function and its arguments are pickled, with all they refer to, and go the way that every
scenario goes: child processes check the answers and measure the times. So nothing of the caller's
is changed, and what the caller's process has done does not count.
"""

from __future__ import annotations

import pickle
import shlex
import shutil
import sys
import tempfile
import weakref
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from eager_vs_graph.catalog.entry import Entry
from eager_vs_graph.catalog.target import Target
from eager_vs_graph.catalog.user_code import DEFAULT_SIZE, identifier
from eager_vs_graph.errors import UsageError
from eager_vs_graph.results.cells import CONTROL, Cell
from eager_vs_graph.results.record import Run
from eager_vs_graph.runs import bench as orchestrate
from eager_vs_graph.runs import lock
from eager_vs_graph.runs.defaults import PRECISION
from eager_vs_graph.runs.options import request_of
from eager_vs_graph.runs.progress import Progress
from eager_vs_graph.runs.quantities import seconds

if TYPE_CHECKING:
    import pandas as pd

    from eager_vs_graph.reports import Rendered

BUDGET = "20s"


def compare(
    function: Callable[..., Any],
    args: Sequence[Any] = (),
    kwargs: Mapping[str, Any] | None = None,
    *,
    modes: str | Sequence[str] = (),
    budget: str | float = BUDGET,
    inputs: str | Sequence[str] = (),
    devices: str | Sequence[str] = (),
    passes: int | None = None,
    precision: float = PRECISION,
    results: str | Path | None = None,
    allow_concurrent: bool = False,
) -> Comparison:
    """Run a function in every mode: compare the answers, time the calls, write a report.

    Works in a script, at the prompt and in a notebook; for lambdas, methods, Keras models,
    ``tf.Module``s and functions that close over variables. They are copied: nothing of the
    caller's is changed. Takes about ``budget``, most of which is in other processes.

    Args:
        function: takes tensors and returns tensors, in nested dicts, lists and tuples if need be.
        args: its arguments, a tuple or list. Arrays and tensors are inputs; everything else, such
            as ``True`` or ``0.1``, is a constant.
        kwargs: its keyword arguments, likewise.
        modes: names such as ``["eager", "xla"]``, or ``"all"``; default: eager, function, session.
        budget: wall time, such as ``"90s"``, ``"5m"`` or seconds.
        inputs: ``resident`` (on the device before the clock starts; the default), ``fed`` or both.
        devices: such as ``["CPU:0"]``; default: every device found.
        passes: exactly so many fresh processes; default: as many as the budget allows.
        precision: half-width of a speed-up's 95 % interval that is enough, as a fraction.
        results: the folder that runs are kept in; default: a temporary one, which goes with the
            result (see ``Comparison.save``).
        allow_concurrent: measure even beside another run.

    Returns:
        The result; it shows itself as a table.

    Raises:
        UsageError: the function cannot be called with these arguments, cannot be copied, or does
            not return tensors; or an option names what does not exist. One line.
    """
    if isinstance(args, str | bytes) or not isinstance(args, Sequence):
        raise UsageError(
            f"args is {type(args).__name__}, but should be a tuple or list of the function's "
            "arguments: compare(f, (x, y)), or compare(f, (x,)) for one"
        )
    budget_s = seconds(budget) if isinstance(budget, str) else float(budget)
    with tempfile.TemporaryDirectory(prefix="eager-vs-graph-") as scratch:
        entry = _entry(function, args, dict(kwargs or {}), Path(scratch))
        request = request_of(
            [entry],
            modes=_listed(modes),
            devices=_listed(devices),
            inputs=_listed(inputs),
            budget_s=budget_s,
            passes=passes,
            precision=precision,
            command=_command(entry.name, modes, budget, inputs, devices),
        )
        folder = Path(results) if results is not None else None
        kept = folder or Path(tempfile.mkdtemp(prefix="eager-vs-graph-"))
        try:
            with lock.machine(shared=allow_concurrent):
                run = orchestrate.bench(request, kept, _Quiet())
        except BaseException:
            if folder is None:
                shutil.rmtree(kept, ignore_errors=True)
            raise
    comparison = Comparison(run.folder)
    if folder is None:
        weakref.finalize(comparison, shutil.rmtree, kept, ignore_errors=True)
    return comparison


class Comparison:
    """What ``compare`` found. It shows itself as a table, and in a notebook with a chart.

    Attributes:
        folder: the run's folder; ``eager-vs-graph report FOLDER`` renders it again.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @cached_property
    def _rendered(self) -> Rendered:
        from eager_vs_graph import reports

        return reports.render(self.folder)

    @property
    def report(self) -> Path:
        """The report, a page that needs nothing beside it."""
        return self._rendered.page

    @property
    def parity(self) -> dict[str, str]:
        """The word for each mode's answers, such as ``identical``, ``close`` or ``differs``.

        Where there are several devices or inputs policies, the keys are ids of cells.
        """
        cells = Run(self.folder).parity()
        return self._by_mode([(Cell.parse(cell.cell), cell.status) for cell in cells])

    def verdict(self, mode: str | None = None) -> str | dict[str, str]:
        """The word for a mode's speed against eager, or of every mode by name.

        ``faster``, ``slower``, ``same`` or ``unclear``; where answers do not agree, the word of
        parity; ``not timed`` where the budget gave too little for a verdict.

        Raises:
            UsageError: there is no such mode in the comparison.
        """
        rows = self.to_frame()
        rows = rows[~rows["mode"].isin(["eager", CONTROL])]
        found = self._by_mode(
            [
                (Cell.parse(str(cell)), verdict or _unjudged(status))
                for cell, verdict, status in zip(
                    rows.index, rows["verdict"], rows["status"], strict=True
                )
            ]
        )
        if mode is None:
            return found
        if mode not in found:
            raise UsageError(f"no verdict for {mode!r}; there is one for: {', '.join(found)}")
        return found[mode]

    def to_frame(self) -> pd.DataFrame:
        """One row a cell, indexed by its id; the columns are those of ``summary.csv``."""
        return self._rendered.summary.copy()

    def save(self, folder: str | Path) -> Path:
        """Keep the run, with its report, in a folder that does not exist yet; returns it.

        Raises:
            UsageError: it exists.
        """
        target = Path(folder)
        if target.exists():
            raise UsageError(f"{target}: exists already; give a folder that does not")
        _ = self._rendered
        shutil.copytree(self.folder, target)
        return target

    def __str__(self) -> str:
        from eager_vs_graph.reports import notebook as short

        return short.text(self._rendered)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        from eager_vs_graph.reports import notebook as short

        return short.html(self._rendered)

    def _by_mode(self, found: list[tuple[Cell, str]]) -> dict[str, str]:
        """Words by mode, where each mode has one cell."""
        modes = [cell.mode for cell, _ in found]
        several = len(set(modes)) < len(modes)
        return {cell.id if several else cell.mode: status for cell, status in found}


class _Quiet(Progress):
    """Says only what is worth a line of its own, on standard error."""

    def note(self, text: str) -> None:
        """Print it."""
        print(text, file=sys.stderr)


def _entry(
    function: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any], scratch: Path
) -> Entry:
    """The function as an entry of the catalogue, pickled into a folder."""
    from eager_vs_graph.child.adopt.call_arguments import (
        bound_names,
        file_of,
        name_of,
        refuse_what_is_no_function,
    )
    from eager_vs_graph.child.adopt.copying import Snapshot
    from eager_vs_graph.child.adopt.tracing import plain

    name = identifier(name_of(function))
    refuse_what_is_no_function(function, name)
    bound_names(plain(function), name, args, kwargs)
    payload = scratch / "adopted.pkl"
    payload.write_bytes(pickle.dumps(Snapshot((function, tuple(args), kwargs), name)))
    return Entry(
        name=name,
        summary=f"{name}, given to compare",
        sizes={DEFAULT_SIZE: ""},
        file=Path(file_of(plain(function))),
        class_name=name,
        default_sizes=[DEFAULT_SIZE],
        target=Target(
            reference=name, path=[path for path in sys.path if path], payload=str(payload)
        ),
    )


def _listed(names: str | Sequence[str]) -> str:
    return names if isinstance(names, str) else ",".join(names)


def _command(
    name: str,
    modes: str | Sequence[str],
    budget: str | float,
    inputs: str | Sequence[str],
    devices: str | Sequence[str],
) -> str:
    """The call, as the report shows it."""
    given = {"modes": _listed(modes), "inputs": _listed(inputs), "devices": _listed(devices)}
    options = [f"{key}={shlex.quote(value)!r}" for key, value in given.items() if value]
    return f"eager_vs_graph.compare({', '.join([name, '…', *options, f'budget={budget!r}'])})"


def _unjudged(status: str) -> str:
    return "not timed" if status in ("identical", "close") else status
