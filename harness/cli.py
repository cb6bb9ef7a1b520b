"""The command line: ``list``, ``parity``, ``bench``, ``report``. Free of TensorFlow.

Exit codes: 0 done; 1 something differs that no scenario declared, or a cell failed; 2 the user's
mistake, told in one line; 130 interrupted.
"""

from __future__ import annotations

import json
import math
import os
import shlex
import sys
import tempfile
from dataclasses import replace
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer.exceptions import TyperException

from harness import __version__, catalog
from harness.catalog import Entry
from harness.errors import Interrupted, UsageError
from harness.grid import INPUTS, choose, unknown
from harness.record import WORDS
from harness.runners import DEFAULT_MODES, MODES

if TYPE_CHECKING:
    from harness.children import Limits
    from harness.orchestrate import Request

RESULTS = Path("results")
QUICK_SIZES = 1
BUDGET_S = 270.0
QUICK_BUDGET_S = 46.0
SECONDS_A_PASS = 60.0
PRECISION = 0.02
FEW = "custom_gradient,matmul_chain,mnist_step,py_func_bridge,regression_training"
"""Scenarios that stand for the others where time is short."""
FEWER = "matmul_chain,regression_training"

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="Eager, graph or session: which is faster for your TensorFlow computation, and is the "
    "answer the same?",
)

Scenarios = Annotated[
    str, typer.Option(metavar="NAMES|FILES|FOLDERS", help="What to run; default: every built-in.")
]
Modes = Annotated[
    str,
    typer.Option(
        metavar="NAMES|all", help=f"Of {', '.join(MODES)}; default: {', '.join(DEFAULT_MODES)}."
    ),
]
Sizes = Annotated[
    str, typer.Option(metavar="NAMES|all", help="Default: those that `list` marks with *.")
]
Devices = Annotated[
    str, typer.Option(metavar="NAMES", help="Such as CPU:0,GPU:0; default: every device found.")
]
Inputs = Annotated[
    str, typer.Option(metavar="POLICIES|all", help=f"Of {', '.join(INPUTS)}; default: {INPUTS[0]}.")
]
LogicalCpus = Annotated[
    int, typer.Option(min=1, help="Split the CPU into so many logical devices.")
]
Seed = Annotated[int, typer.Option(help="Seed of the order in which blocks are timed.")]
Results = Annotated[Path, typer.Option(help="The folder that runs are kept in.")]
AllowConcurrent = Annotated[
    bool, typer.Option("--allow-concurrent", help="Measure even beside another run.")
]
CellTimeout = Annotated[
    float, typer.Option(min=1, metavar="SECONDS", help="A cell silent for longer is given up.")
]
MemoryLimit = Annotated[
    str, typer.Option(metavar="SIZE", help="Such as 4GiB; default: nine tenths of the machine's.")
]


class Format(StrEnum):
    """How ``list`` prints."""

    TEXT = "text"
    JSON = "json"


@app.callback(invoke_without_command=True)
def root(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Options before the verb."""
    if version:
        print(__version__)
        raise typer.Exit


@app.command("list")
def list_(
    scenarios: Scenarios = "",
    format: Annotated[Format, typer.Option(help="text or json.")] = Format.TEXT,
) -> None:
    """Show scenarios, sizes and modes."""
    entries = catalog.select(_words(scenarios))
    if format is Format.JSON:
        content = {
            "scenarios": [
                {
                    "name": entry.name,
                    "concept": entry.concept,
                    "summary": entry.summary,
                    "sizes": entry.sizes,
                    "default_sizes": entry.default_sizes,
                }
                for entry in entries
            ],
            "modes": {mode.name: mode.about() for mode in MODES.values()},
            "inputs": list(INPUTS),
        }
        print(json.dumps(content, indent=2))
        return
    width = max(len(name) for name in [*(entry.name for entry in entries), *MODES])
    print("scenarios (* runs by default)")
    for entry in entries:
        sizes = ", ".join(f"{size}{'*' * (size in entry.default_sizes)}" for size in entry.sizes)
        concept = f"{entry.concept}; " if entry.concept else ""
        print(f"  {entry.name:{width}}  {entry.summary}")
        print(f"  {'':{width}}  {concept}sizes: {sizes}")
    print("modes (* runs by default)")
    for mode in MODES.values():
        print(f"  {mode.name + '*' * mode.default:{width}}  {mode.summary}")


@app.command()
def parity(
    scenarios: Scenarios = "",
    modes: Modes = "",
    sizes: Sizes = "",
    devices: Devices = "",
    inputs: Inputs = "",
    details: Annotated[
        bool, typer.Option("--details", help="Print the tensors of cells that agree, too.")
    ] = False,
    logical_cpus: LogicalCpus = 1,
    cell_timeout: CellTimeout = 120.0,
    memory_limit: MemoryLimit = "",
) -> None:
    """Compare outputs and state of every mode with eager and the oracle; time nothing."""
    from harness.orchestrate import check
    from harness.progress import TerminalProgress
    from reports import terminal

    request = _request(
        scenarios,
        modes,
        sizes,
        devices,
        inputs,
        logical_cpus=logical_cpus,
        limits=_limits(cell_timeout, memory_limit),
    )
    with tempfile.TemporaryDirectory() as scratch, TerminalProgress() as progress:
        checked = check(request, Path(scratch), progress)
    cells, pairs = checked.in_order(), list(checked.checkpoints.values())
    kinds = {mode.name: mode.kind for mode in MODES.values()}
    terminal.print_parity(cells, kinds=kinds, checkpoints=pairs, details=details)
    for kind in checked.absent:
        print(f"{kind}: not found")
    failed = any(cell.failed for cell in cells) or any(pair.failed for pair in pairs)
    raise typer.Exit(1 if failed else 0)


@app.command()
def explain(
    scenario: Annotated[str, typer.Argument(metavar="SCENARIO", help="A name or a file.")],
    modes: Modes = "",
    sizes: Sizes = "",
    devices: Devices = "CPU:0",
    inputs: Inputs = "",
    reproduce: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write a script that shows the worst disagreement."),
    ] = None,
    cell_timeout: CellTimeout = 120.0,
    memory_limit: MemoryLimit = "",
) -> None:
    """Find by experiment why modes disagree: where, how far, who is right, and what to do."""
    from harness.explain import inquiry
    from harness.explain.reproduce import head, shown
    from harness.progress import TerminalProgress
    from reports import explanation as terminal

    request = _request(
        scenario,
        modes,
        sizes,
        devices,
        inputs,
        logical_cpus=1,
        limits=_limits(cell_timeout, memory_limit),
    )
    if len(request.entries) != 1:
        names = ", ".join(entry.name for entry in request.entries)
        raise UsageError(f"explain takes one scenario, but {scenario!r} names {names}")
    question = inquiry.Question(
        request.entries[0],
        request.sizes,
        request.modes,
        request.devices,
        request.inputs,
        request.limits,
        scripts=reproduce is not None,
    )
    with tempfile.TemporaryDirectory() as scratch, TerminalProgress() as progress:
        answer = inquiry.explain(question, Path(scratch), progress)
    terminal.print_explanations(answer.explanations)
    if reproduce is not None:
        cells = [each for each in answer.explanations if each.cell in answer.scripts]
        if not cells:
            raise UsageError(f"{scenario}: nothing differs that a script could show")
        worst = max(cells, key=lambda each: (WORDS.index(shown(each).word), bool(each.causes)))
        text = f"{head(worst)}{answer.scripts[worst.cell]}"
        reproduce.write_text(text, encoding="utf-8")
        print(f"script: {reproduce} ({worst.cell})")
    disagree = any(each.unexplained or each.causes for each in answer.explanations)
    raise typer.Exit(1 if disagree else 0)


@app.command()
def bench(
    scenarios: Scenarios = "",
    modes: Modes = "",
    sizes: Sizes = "",
    devices: Devices = "",
    inputs: Inputs = "",
    passes: Annotated[
        int | None,
        typer.Option(metavar="N", help="Exactly so many; default: as precision and budget say."),
    ] = None,
    budget: Annotated[
        str, typer.Option(metavar="TIME", help=f"Such as 90s or 5m; default: {BUDGET_S:.0f}s.")
    ] = "",
    precision: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            help=f"Half-width of a speed-up's interval to reach; default: {PRECISION}.",
        ),
    ] = None,
    quick: Annotated[
        bool,
        typer.Option(
            "--quick", help="A first answer in under a minute: a few scenarios, one size each."
        ),
    ] = False,
    resume: Annotated[
        Path | None,
        typer.Option(
            metavar="RUN", help="Go on with an interrupted run, as it was asked for or as said now."
        ),
    ] = None,
    allow_concurrent: AllowConcurrent = False,
    logical_cpus: LogicalCpus = 1,
    cell_timeout: CellTimeout = 120.0,
    memory_limit: MemoryLimit = "",
    seed: Seed = 0,
    results: Results = RESULTS,
) -> None:
    """Check parity, time every mode in interleaved blocks, write the report."""
    from harness import lock, orchestrate
    from harness.progress import TerminalProgress

    if passes is not None and passes < 1:
        raise UsageError(f"--passes is {passes}, but should be at least 1")
    budget_s = _seconds(budget) if budget else None
    limits = _limits(cell_timeout, memory_limit)
    if resume is not None:
        with lock.machine(shared=allow_concurrent), TerminalProgress() as progress:
            run = orchestrate.resume(
                resume, progress, limits, budget_s=budget_s, passes=passes, precision=precision
            )
    else:
        request = _request(
            scenarios,
            modes,
            sizes,
            devices,
            inputs,
            logical_cpus=logical_cpus,
            limits=limits,
            passes=passes,
            budget_s=budget_s or _default_budget_s(passes, quick),
            precision=PRECISION if precision is None else precision,
            seed=seed,
            quick=quick,
        )
        with lock.machine(shared=allow_concurrent), TerminalProgress() as progress:
            run = orchestrate.bench(request, results, progress)
    code = _report(run.folder)
    raise typer.Exit(130 if run.work.exists() else code)  # it exists while a run is unfinished


@app.command()
def selfcheck(
    quick: Annotated[bool, typer.Option("--quick", help="Two minutes instead of ten.")] = False,
    run: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="RUN", help="Judge this record instead of measuring; several count together."
        ),
    ] = None,
    budget: Annotated[str, typer.Option(metavar="TIME", help="Such as 30m.")] = "",
    slowdowns: Annotated[
        str, typer.Option(metavar="PERCENTAGES", help="Slowdowns to inject.")
    ] = "2%,5%,10%",
    scenarios: Scenarios = "",
    modes: Modes = "",
    sizes: Sizes = "",
    allow_concurrent: AllowConcurrent = False,
    seed: Seed = 0,
    results: Results = RESULTS,
) -> None:
    """Measure the harness itself: false verdicts, detection of slowdowns, overhead."""
    from harness import lock, orchestrate
    from harness import selfcheck as check
    from harness.progress import TerminalProgress
    from reports import terminal

    if not run:
        amounts = [_quantity(word, _PERCENT) for word in _words(slowdowns)]
        chosen = partial(check.programs, amounts)
        names = FEWER if quick else FEW
        request = _request(
            scenarios or names,
            modes,
            sizes,
            "CPU:0",
            "resident",
            logical_cpus=1,
            limits=_limits(120.0, ""),
            budget_s=_seconds(budget) if budget else (115.0 if quick else 600.0),
            precision=0.0,
            seed=seed,
        )
        with lock.machine(shared=allow_concurrent), TerminalProgress() as progress:
            record = orchestrate.bench(
                request, results / "selfcheck", progress, chosen, bare_loops=True
            )
        run = [record.folder]
    rows = check.table(run)
    terminal.print_selfcheck(rows)
    print(f"record: {', '.join(map(str, run))}")
    raise typer.Exit(0 if all(row.passed for row in rows) else 1)


@app.command()
def compare(
    run_a: Annotated[Path, typer.Argument(metavar="RUN_A", help="The run to compare with.")],
    run_b: Annotated[Path, typer.Argument(metavar="RUN_B", help="The run in question.")],
    fail_over: Annotated[
        str, typer.Option(metavar="PERCENT", help="A slower cell beyond this is a regression.")
    ] = "5%",
    across_machines: Annotated[
        bool, typer.Option("--across-machines", help="Compare although the machines differ.")
    ] = False,
) -> None:
    """Show what became faster or slower between two runs; exit code 1 on a regression."""
    from harness.comparison import compare as compare_folders
    from reports.comparison import print_comparison

    over = _quantity(fail_over, _PERCENT)
    comparison = compare_folders(run_a, run_b, across_machines=across_machines)
    print_comparison(comparison, over)
    failed = len(comparison.regressions(over)) or comparison.disagreements()
    raise typer.Exit(1 if failed else 0)


@app.command()
def report(
    run: Annotated[
        Path | None, typer.Argument(metavar="[RUN]", help="A run's folder; default: the newest.")
    ] = None,
    results: Results = RESULTS,
) -> None:
    """Render a run's tables, charts and page again from its record."""
    from harness.orchestrate import newest
    from harness.passes import recover
    from harness.record import Run

    folder = run or newest(results)
    if not folder.is_dir():
        raise UsageError(f"{folder}: no such folder; `ls {results}` shows the runs that exist")
    recover(Run(folder))
    _report(folder)


def _report(folder: Path) -> int:
    """Render and print a run; 1 when a cell failed or differs without being known to."""
    import reports
    from harness.record import Run
    from reports import terminal

    rendered = reports.render(folder)
    terminal.print_result(rendered)
    print(f"report: {rendered.page}")
    run = Run(folder)
    failed = any(cell.failed for cell in run.parity())
    return 1 if failed or any(pair.failed for pair in run.checkpoints()) else 0


def _request(
    scenarios: str,
    modes: str,
    sizes: str,
    devices: str,
    inputs: str,
    *,
    logical_cpus: int,
    limits: Limits,
    passes: int | None = None,
    budget_s: float = BUDGET_S,
    precision: float = PRECISION,
    seed: int = 0,
    quick: bool = False,
) -> Request:
    from harness.orchestrate import Request

    entries = catalog.select(_words(scenarios or (FEW if quick else "")))
    chosen_sizes = _choose_sizes(entries, _words(sizes))
    if not sizes:
        few = QUICK_SIZES if quick else None
        entries = [
            replace(entry, sizes={size: entry.sizes[size] for size in entry.default_sizes[:few]})
            for entry in entries
        ]
    return Request(
        entries=entries,
        sizes=chosen_sizes,
        modes=choose("mode", _words(modes), list(MODES), DEFAULT_MODES),
        devices=_words(devices),
        inputs=choose("inputs policy", _words(inputs), INPUTS, INPUTS[:1]),
        budget_s=budget_s,
        passes=passes,
        precision=precision,
        command=shlex.join(["python", "-m", "harness", *sys.argv[1:]]),
        seed=seed,
        logical_cpus=logical_cpus,
        limits=limits,
    )


def _default_budget_s(passes: int | None, quick: bool) -> float:
    if passes is not None:
        return BUDGET_S + passes * SECONDS_A_PASS
    return QUICK_BUDGET_S if quick else BUDGET_S


def _limits(cell_timeout: float, memory_limit: str) -> Limits:
    from harness.children import Limits

    if not memory_limit:
        return Limits(silence_s=cell_timeout)
    return Limits(silence_s=cell_timeout, memory_bytes=int(_quantity(memory_limit, _MEMORY)))


def _choose_sizes(entries: list[Entry], wanted: list[str]) -> list[str]:
    """The size names to run, of all that any selected scenario has.

    Raises:
        UsageError: a size that no selected scenario has.
    """
    known = list(dict.fromkeys(size for entry in entries for size in entry.sizes))
    if not wanted or wanted == ["all"]:
        return known
    for size in wanted:
        if size not in known:
            raise UsageError(unknown("size", size, known))
    return wanted


def _words(text: str) -> list[str]:
    """The words of a comma-separated list; nothing for no text.

    Raises:
        UsageError: there is text but no word in it.
    """
    words = [word.strip() for word in text.split(",") if word.strip()]
    if text and not words:
        raise UsageError(f"the selection {text!r} is empty; leave the option out for everything")
    return words


_PERCENT = {"%": 0.01}
_TIME = {"s": 1.0, "m": 60.0, "h": 3600.0}
_MEMORY = {"GiB": 2.0**30, "MiB": 2.0**20}


def _seconds(text: str) -> float:
    return _quantity(text, _TIME)


def _quantity(text: str, units: dict[str, float]) -> float:
    """A positive number with a unit.

    Raises:
        UsageError: it is neither.
    """
    unit = next((unit for unit in units if text.endswith(unit)), "")
    try:
        value = float(text.removesuffix(unit)) * units[unit]
    except (ValueError, KeyError):
        value = math.nan
    if not 0 < value < math.inf:
        raise UsageError(
            f"{text!r} should be a positive number with a unit of {', '.join(units)}, such as "
            f"90{next(iter(units))}"
        )
    return value


def main() -> None:
    """Run the command line; a user's mistake is one line and exit code 2."""
    try:
        code = app(sys.argv[1:] or ["--help"], prog_name="python -m harness", standalone_mode=False)
    except UsageError as error:
        if os.environ.get("EAGER_VS_GRAPH_TRACEBACK"):
            raise
        code = _complain(str(error))
    except TyperException as error:  # an option that does not exist, a value that is no number
        code = _complain(f"{_message(error)}; --help shows what there is")
    except Interrupted:
        print("interrupted before the first pass; nothing was kept", file=sys.stderr)
        code = 130
    sys.exit(code)


def _complain(line: str) -> int:
    print(f"error: {line}", file=sys.stderr)
    return 2


def _message(error: TyperException) -> str:
    """What is wrong, in one line without its final stop."""
    text = error.format_message() if hasattr(error, "format_message") else str(error)
    return " ".join(text.split()).rstrip(".")
