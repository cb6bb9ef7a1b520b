"""What a run can be asked: each option once, with its default, its help and what it comes to.

The command line has these as options, ``compare`` as arguments.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

from typer import Option

from eager_vs_graph.catalog.entry import Entry
from eager_vs_graph.catalog.find import select
from eager_vs_graph.catalog.selection import Selection
from eager_vs_graph.catalog.user_code import entries_of
from eager_vs_graph.errors import UsageError
from eager_vs_graph.modes import DEFAULT_MODES, FUNCTION_MODES, MODES
from eager_vs_graph.processes.supervise import Limits
from eager_vs_graph.results.cells import INPUTS, choose, unknown_name_message
from eager_vs_graph.runs import command
from eager_vs_graph.runs.quantities import MEMORY, quantity, seconds, words
from eager_vs_graph.runs.request import Request

RESULTS = Path("results")
BUDGET_S = 270.0
QUICK_BUDGET_S = 46.0
SECONDS_A_PASS = 60.0
PRECISION = 0.02
WATCH_S = 3.0
"""Seconds for where the time of calls goes, beside a question about code of one's own."""
_OVERTIME = 2.0
"""What may be added to a budget that nobody named, as a multiple of it."""
FEW = "custom_gradient,matmul_chain,mnist_step,py_func_bridge,regression_training"
"""Scenarios that stand for the others where time is short."""
_SHOWN = 200
"""Characters that are shown of a name that is too long."""
_DEVICE = re.compile(r"[A-Z]+:[0-9]{1,4}")


@contextmanager
def _as_usage_error() -> Iterator[None]:
    """A name that the file system refuses, such as one of 5,000 characters, in a line."""
    try:
        yield
    except UnicodeEncodeError as error:
        raise UsageError(f"{error.object!r}: is no name of a file: {error.reason}") from None
    except OSError as error:
        name = str(error.filename or "")[:_SHOWN]
        raise UsageError(f"{name}: {error.strerror}") from None


@dataclass(frozen=True)
class ScenarioOptions:
    """Which scenarios, at which sizes."""

    scenarios: Annotated[
        str,
        Option(
            metavar="NAMES|FILES|FOLDERS",
            help="What to run. Default: every built-in scenario. `all` adds those of installed "
            "distributions; the name of a distribution selects what it ships, FILE.py:NAME one "
            "scenario of a file.",
        ),
    ] = ""
    sizes: Annotated[
        str, Option(metavar="NAMES|all", help="Default: the sizes that `list` marks with *.")
    ] = ""

    def entries(self, default: str = "", largest_number: int | None = None) -> list[Entry]:
        """The catalogue's entries, with the sizes that are wanted by default.

        Args:
            default: the scenarios where none is named.
            largest_number: at most so many sizes of each scenario where no size is named.
        """
        with _as_usage_error():
            entries = select(words(self.scenarios or default))
        if self.sizes:
            return entries
        return [
            replace(
                entry,
                sizes={size: entry.sizes[size] for size in entry.default_sizes[:largest_number]},
            )
            for entry in entries
        ]

    def chosen_sizes(self, entries: Sequence[Entry]) -> list[str]:
        """The names of the sizes to run.

        Raises:
            UsageError: no scenario has a size of that name.
        """
        known = list(dict.fromkeys(size for entry in entries for size in entry.sizes))
        wanted = words(self.sizes)
        if wanted in ([], ["all"]):
            return known
        for size in wanted:
            if size not in known:
                raise UsageError(unknown_name_message("size", size, known))
        return wanted


@dataclass(frozen=True)
class TargetOptions:
    """How the user's own function or model is called."""

    arg: Annotated[
        list[str] | None,
        Option(
            metavar="[NAME=]ARGUMENT",
            help='An argument, in order or by name: "float32[32,784]", "int32[32] in 0..9", '
            "bool[3], a .npy or .npz file, a constant, or MODULE:FUNCTION that returns them; where "
            "it yields them instead, each step takes the next (another shape, another constant).",
        ),
    ] = None
    train: Annotated[
        bool, Option("--train", help="Also run a Keras model's train_step and fit.")
    ] = False
    batch: Annotated[
        int, Option(min=1, help="Batch size for models with a dynamic batch dimension.")
    ] = 32
    label: Annotated[
        str, Option(metavar="ARGUMENT", help="Labels. Default: random ones that fit the loss.")
    ] = ""
    loss: Annotated[str, Option(help="A Keras name. Default: as compiled.")] = ""
    optimizer: Annotated[str, Option(help="A Keras name. Default: as compiled.")] = ""
    imports: Annotated[
        list[str] | None,
        Option(
            "--import",
            metavar="MODULE|FILE.py",
            help="Module with the classes and functions of your own that a .keras file refers to.",
        ),
    ] = None
    path: Annotated[
        list[Path] | None,
        Option(metavar="FOLDER", help="Folder of modules. Default: the working directory."),
    ] = None

    def entries(self, target: str) -> list[Entry]:
        """One entry for each part of a target that is to be run.

        Raises:
            UsageError: a folder or file does not exist, or the target is none.
        """
        with _as_usage_error():
            folders = [folder.resolve() for folder in self.path or []]
            for folder in folders:
                if not folder.is_dir():
                    raise UsageError(f"--path {folder}: no such folder")
            return entries_of(
                target,
                arguments=self.arg or [],
                train=self.train,
                batch=self.batch,
                label=self.label,
                loss=self.loss,
                optimizer=self.optimizer,
                path=[*map(str, folders), str(Path.cwd())],
                imports=self.imports or [],
            )


@dataclass(frozen=True)
class GridOptions:
    """Which modes, where."""

    modes: Annotated[
        str,
        Option(
            metavar="NAMES|all",
            help=f"Of {', '.join(MODES)}. Default: {','.join(DEFAULT_MODES)}; with code of your "
            f"own that calls a tf.function, {','.join(FUNCTION_MODES)} too.",
        ),
    ] = ""
    devices: Annotated[
        str, Option(metavar="NAMES", help="Such as CPU:0,GPU:0. Default: every device found.")
    ] = ""
    inputs: Annotated[
        str,
        Option(
            metavar="POLICIES|all",
            help="resident: inputs are on the device before the clock starts; fed: NumPy arrays "
            f"are passed in every call. Default: {INPUTS[0]}.",
        ),
    ] = ""
    logical_cpus: Annotated[
        int, Option(min=1, max=64, help="Number of logical devices to split the CPU into.")
    ] = 1

    def selection(self, entries: list[Entry], sizes: list[str] | None = None) -> Selection:
        """The part of the grid that is asked for; all sizes of the entries where none are named.

        Raises:
            UsageError: a mode or policy does not exist; the message gives the nearest.
        """
        every = list(dict.fromkeys(size for entry in entries for size in entry.sizes))
        wanted = words(self.modes)
        adopted = any(entry.target is not None for entry in entries)
        optional = [] if wanted or not adopted else list(FUNCTION_MODES)
        return Selection(
            entries=entries,
            sizes=sizes or every,
            modes=choose("mode", wanted, list(MODES), (*DEFAULT_MODES, *optional)),
            optional=optional,
            devices=self._devices(),
            inputs=choose("inputs policy", words(self.inputs), INPUTS, INPUTS[:1]),
            logical_cpus=self.logical_cpus,
        )

    def _devices(self) -> list[str]:
        """The names of the devices; those of a GPU are known only where TensorFlow is."""
        wanted = words(self.devices)
        cpus = [f"CPU:{number}" for number in range(self.logical_cpus)]
        for name in [] if wanted == ["all"] else wanted:
            if not _DEVICE.fullmatch(name) or (name.startswith("CPU:") and name not in cpus):
                raise UsageError(unknown_name_message("device", name, cpus))
        return wanted


@dataclass(frozen=True)
class LimitOptions:
    """What a child process may take."""

    cell_timeout: Annotated[
        float,
        Option(min=1, metavar="SECONDS", help="Abort a cell that reports no progress for so long."),
    ] = 120.0
    memory_limit: Annotated[
        str,
        Option(
            metavar="SIZE",
            help="Abort a cell whose process takes more, such as 4GiB. Default: nine tenths of the "
            "machine's memory.",
        ),
    ] = ""
    explain_timeout: Annotated[
        float | None,
        Option(
            min=1,
            metavar="SECONDS",
            help="Begin no experiment on why cells disagree after so long. Default: 30; `explain` "
            "has 55.",
        ),
    ] = None

    def limits(self) -> Limits:
        """The limits; raises ``UsageError`` where the size is none."""
        limits = Limits(silence_s=self.cell_timeout, explain_s=self.explain_timeout)
        if not self.memory_limit:
            return limits
        return replace(limits, memory_bytes=int(quantity(self.memory_limit, MEMORY)))


@dataclass(frozen=True)
class TimingOptions:
    """How long and how exactly to time, and where the run is kept."""

    passes: Annotated[
        int | None,
        Option(
            metavar="N",
            min=1,
            help="Number of passes. Default: until --precision is reached or --budget is spent.",
        ),
    ] = None
    budget: Annotated[
        str, Option(metavar="TIME", help="Wall time of the whole run, such as 90s or 5m.")
    ] = ""
    precision: Annotated[
        float,
        Option(
            min=0, max=1, help="Half-width of a speed-up's 95 % interval to reach, as a fraction."
        ),
    ] = PRECISION
    seed: Annotated[int, Option(help="Seed of the order in which blocks are timed.")] = 0
    explain: Annotated[
        bool,
        Option(
            "--explain/--no-explain",
            help="Find out by experiment why cells disagree.",
        ),
    ] = True
    allow_concurrent: Annotated[
        bool, Option("--allow-concurrent", help="Run even though another benchmark is running.")
    ] = False
    results: Annotated[Path, Option(help="Folder that runs are kept in.")] = RESULTS

    def budget_s(self, default: float) -> float:
        """Wall seconds for the run; raises ``UsageError`` where the time is none."""
        if self.budget:
            return seconds(self.budget)
        if self.passes is not None:
            return BUDGET_S + self.passes * SECONDS_A_PASS
        return default

    def request(
        self,
        selection: Selection,
        limits: Limits,
        *,
        default_budget_s: float,
        called: str = "",
        watch_s: float = 0.0,
    ) -> Request:
        """What is asked for.

        Args:
            selection: the cells.
            limits: what a child process may take.
            default_budget_s: wall seconds where neither a budget nor passes are given.
            called: what was called, where it was no command line.
            watch_s: seconds for where the time of calls goes.
        """
        return Request(
            selection,
            watch_s=watch_s,
            budget_s=self.budget_s(default_budget_s),
            passes=self.passes,
            precision=self.precision,
            command=called or command.line(*sys.argv[1:]),
            seed=self.seed,
            limits=limits,
            # On a busy machine TensorFlow's import alone can take a default budget.
            overtime_s=0.0 if self.budget else _OVERTIME * default_budget_s,
            explain=self.explain,
        )
