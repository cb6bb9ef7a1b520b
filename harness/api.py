"""``eager_vs_graph.compare``: a function compared from a script or a notebook.

The function and its arguments are pickled, with all they refer to, and take the way that every
scenario takes: child processes check the outputs and measure the times. So nothing of the caller's
is changed, and what the caller's process has done does not count.
"""

from __future__ import annotations

import inspect
import pickle
import shutil
import sys
import tempfile
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from eager_vs_graph.catalog.entry import Entry
from eager_vs_graph.catalog.target import Target
from eager_vs_graph.catalog.user_code import DEFAULT_SIZE, identifier
from eager_vs_graph.comparison import Comparison
from eager_vs_graph.errors import Interrupted, UsageError
from eager_vs_graph.results.record import AGREEING
from eager_vs_graph.runs import lock
from eager_vs_graph.runs.bench import bench
from eager_vs_graph.runs.folders import require_writable
from eager_vs_graph.runs.notebook_progress import NotebookProgress, in_kernel
from eager_vs_graph.runs.options import (
    PRECISION,
    QUICK_BUDGET_S,
    RESULTS,
    WATCH_S,
    GridOptions,
    LimitOptions,
    TimingOptions,
)
from eager_vs_graph.runs.quantities import seconds
from eager_vs_graph.runs.terminal_progress import TerminalProgress


def compare(
    function: Callable[..., Any],
    args: Sequence[Any] = (),
    kwargs: Mapping[str, Any] | None = None,
    *,
    calls: Iterable[Any] | None = None,
    modes: str | Sequence[str] = (),
    budget: str | float | None = None,
    inputs: str | Sequence[str] = (),
    devices: str | Sequence[str] = (),
    passes: int | None = None,
    precision: float = PRECISION,
    results: str | Path | Literal[False] | None = None,
    allow_concurrent: bool = False,
) -> Comparison:
    """Run a function in every mode: compare its outputs, time its calls, write a report.

    Works in a script (with or without ``if __name__ == "__main__"``), at the prompt and in a
    notebook; for lambdas, methods, Keras models, ``tf.Module``s and functions that close over
    variables. They are copied: nothing of the caller's is changed. Takes about ``budget``, most of
    which is spent in other processes. Meanwhile a notebook shows what is being done and for how
    much longer; elsewhere that goes to standard error.

    Args:
        function: takes tensors and returns tensors, in nested dicts, lists and tuples if need be.
        args: its arguments, a tuple or list. Arrays and tensors are inputs; everything else, such
            as ``True`` or ``0.1``, is a constant.
        kwargs: its keyword arguments, likewise.
        calls: instead of ``args`` and ``kwargs``, the arguments of successive calls: each a tuple
            or list of arguments, a dict by name, or one array. Each step takes the next; tensors
            may have other shapes each time, and constants other values. Of an iterator,
            16 are taken.
        modes: names such as ``["eager", "xla"]``, or ``"all"``; default: eager, function, session.
        budget: wall time, such as ``"90s"``, ``"5m"`` or seconds; default: 46 seconds, or what
            ``passes`` take.
        inputs: ``resident`` (on the device before the clock starts; the default), ``fed`` or both.
        devices: such as ``["CPU:0"]``; default: every device found.
        passes: exactly so many fresh processes; default: as many as the budget allows. A verdict
            needs two or more.
        precision: half-width of a speed-up's 95 % interval that is enough, as a fraction.
        results: the folder that runs are kept in. Default in a notebook: ``results``, as on the
            command line. Elsewhere, with ``False``, or where that cannot be written: a temporary
            one, which is deleted with the result (see ``Comparison.save``).
        allow_concurrent: measure even while another benchmark is running.

    Returns:
        The result; it shows itself as a table.

    Raises:
        UsageError: the function cannot be called with these arguments, cannot be copied, or does
            not return tensors; or an option has a value that it cannot have. One line.
        KeyboardInterrupt: it was interrupted before anything was finished.
    """
    if not callable(function):
        raise UsageError(
            f"compare was given {type(function).__name__}, but should be given a function, a Keras "
            "model or a tf.Module that can be called"
        )
    if isinstance(args, str | bytes) or not isinstance(args, Sequence):
        raise UsageError(
            f"args is {type(args).__name__}, but should be a tuple or list of the function's "
            "arguments: compare(f, (x, y)), or compare(f, (x,)) for one"
        )
    if kwargs is not None and not isinstance(kwargs, Mapping):
        raise UsageError(
            f"kwargs is {type(kwargs).__name__}, but should be a dict of the function's keyword "
            'arguments: compare(f, (x,), {"training": True})'
        )
    each_call = [(args, dict(kwargs or {}))] if calls is None else _calls(calls)
    if calls is not None and (args or kwargs):
        raise UsageError("compare was given args and calls; the arguments of calls are complete")
    grid = GridOptions(
        modes=_names("modes", modes),
        devices=_names("devices", devices),
        inputs=_names("inputs", inputs),
    )
    timing = TimingOptions(
        passes=_passes(passes), budget=_time(budget), precision=_precision(precision)
    )
    in_notebook = in_kernel()
    folder = _folder(results, in_notebook)
    with tempfile.TemporaryDirectory(prefix="eager-vs-graph-") as scratch:
        entry = _entry(function, each_call, Path(scratch))
        called = _command(entry.name, grid, timing)
        request = timing.request(
            grid.selection([entry]),
            LimitOptions().limits(),
            default_budget_s=QUICK_BUDGET_S,
            called=called,
            watch_s=WATCH_S,
        )
        kept = folder or Path(tempfile.mkdtemp(prefix="eager-vs-graph-"))
        try:
            with (
                lock.machine(shared=allow_concurrent),
                (NotebookProgress if in_notebook else TerminalProgress)() as progress,
            ):
                run = bench(request, kept, progress)
                comparison = Comparison(run.folder, temporary=folder is None)
                if not _has_source(function) and _disagrees(comparison):
                    progress.note(
                        f"{entry.name} is in no file and no notebook cell, so that AutoGraph "
                        "cannot read it: its `if` and `while` do not work on tensors in a graph. "
                        "In a file they might."
                    )
        except BaseException as error:
            if folder is None:
                shutil.rmtree(kept, ignore_errors=True)
            if isinstance(error, Interrupted):
                raise KeyboardInterrupt from None
            if isinstance(error, UsageError):
                raise UsageError(_in_python(str(error))) from None
            raise
    if folder is None:
        weakref.finalize(comparison, shutil.rmtree, kept, ignore_errors=True)
    return comparison


def _folder(results: object, in_notebook: bool) -> Path | None:
    """The folder that the run is kept in; None: a temporary one."""
    if results is None and in_notebook:
        try:
            require_writable(RESULTS)
        except UsageError:  # the result says that it is not kept
            return None
        return Path.cwd() / RESULTS  # wherever the kernel goes from here
    if results is None or results is False:
        return None
    if not isinstance(results, str | Path):
        raise UsageError(f"results is {results!r}, but should be the path of a folder, or False")
    require_writable(Path(results))
    return Path(results)


def _disagrees(comparison: Comparison) -> bool:
    return not set(comparison.parity.values()) <= set(AGREEING)


def _entry(
    function: Callable[..., Any],
    calls: Sequence[tuple[Sequence[Any], Mapping[str, Any]]],
    scratch: Path,
) -> Entry:
    """The function as an entry of the catalogue, pickled into a folder."""
    from eager_vs_graph.child.adopt.arguments import Arguments
    from eager_vs_graph.child.adopt.call_arguments import (
        file_of,
        name_of,
        refuse_what_is_no_function,
    )
    from eager_vs_graph.child.adopt.copying import Snapshot
    from eager_vs_graph.child.adopt.successive import split_calls
    from eager_vs_graph.child.adopt.tracing import plain

    name = identifier(name_of(function))
    refuse_what_is_no_function(function, name)
    split_calls(
        plain(function), name, [Arguments(list(args), dict(kwargs)) for args, kwargs in calls]
    )
    payload = scratch / "adopted.pkl"
    payload.write_bytes(pickle.dumps(Snapshot((function, list(calls)), name)))
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


def _calls(calls: Any) -> list[tuple[list[Any], dict[str, Any]]]:
    """The arguments of successive calls."""
    from eager_vs_graph.child.adopt.arguments import MOST_CALLS

    if isinstance(calls, str | bytes | Mapping) or not isinstance(calls, Iterable):
        raise UsageError(
            f"calls is {type(calls).__name__}, but should be a list, or an iterator, of the "
            "arguments of each call: calls=[(x1, y1), (x2, y2)]"
        )
    found: list[tuple[list[Any], dict[str, Any]]] = []
    for call in islice(calls, MOST_CALLS):
        if isinstance(call, Mapping):
            found.append(([], dict(call)))
        else:
            found.append((list(call) if isinstance(call, tuple | list) else [call], {}))
    if not found:
        raise UsageError("calls is empty, but should have the arguments of one call or more")
    return found


def _has_source(function: Callable[..., Any]) -> bool:
    """Whether AutoGraph can read the function's Python."""
    from eager_vs_graph.child.adopt.tracing import plain

    python = inspect.unwrap(plain(function))
    try:
        inspect.getsource(python if hasattr(python, "__code__") else type(python))
    except (OSError, TypeError):
        return False
    return True


def _names(option: str, names: str | Sequence[str]) -> str:
    """Names as the command line takes them, separated by commas."""
    if isinstance(names, str):
        return names
    if isinstance(names, Sequence) and all(isinstance(name, str) for name in names):
        return ",".join(names)
    raise UsageError(f"{option} is {names!r}, but should be a name, or a list of names")


def _time(budget: str | float | None) -> str:
    if budget is None:
        return ""
    text = budget if isinstance(budget, str) else f"{budget}s"
    try:
        seconds(text)
    except UsageError:
        raise UsageError(
            f"budget is {budget!r}, but should be a time above zero, such as '90s', '5m' or a "
            "number of seconds"
        ) from None
    return text


def _passes(passes: int | None) -> int | None:
    if passes is not None and (not isinstance(passes, int) or passes < 1):
        raise UsageError(f"passes is {passes!r}, but should be a whole number from 1 on")
    return passes


def _precision(precision: float) -> float:
    if not isinstance(precision, int | float) or not 0 <= precision <= 1:
        raise UsageError(
            f"precision is {precision!r}, but should be a fraction from 0 to 1, such as 0.02"
        )
    return precision


def _command(name: str, grid: GridOptions, timing: TimingOptions) -> str:
    """The call, as the report shows it."""
    given = {
        "modes": grid.modes,
        "devices": grid.devices,
        "inputs": grid.inputs,
        "budget": timing.budget,
        "passes": timing.passes,
    }
    options = [f"{option}={value!r}" for option, value in given.items() if value]
    return f"eager_vs_graph.compare({', '.join([name, '…', *options])})"


def _in_python(message: str) -> str:
    """A message with the options of the command line as ``compare`` calls them."""
    return message.replace("--allow-concurrent", "allow_concurrent=True")
