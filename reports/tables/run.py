"""Tables of what was run and where: workloads, modes, passes, environment."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from eager_vs_graph.reports.formatting import percent, seconds
from eager_vs_graph.reports.labels import size_label
from eager_vs_graph.reports.table import Column, Table
from eager_vs_graph.results.frames import Frames
from eager_vs_graph.results.mode_kinds import by_kind, kinds_of
from eager_vs_graph.results.record import PassRecord
from eager_vs_graph.results.request import RunRequest

LABELS = {
    "tensorflow": "TensorFlow",
    "keras": "Keras",
    "numpy": "NumPy",
    "python": "Python",
    "harness": "eager-vs-graph",
    "revision": "revision",
    "cpu": "CPU",
    "cores": "CPU cores",
    "gpus": "GPUs",
    "memory_gib": "memory (GiB)",
    "threads_intra": "threads within an op",
    "threads_inter": "threads between ops",
    "onednn": "oneDNN",
    "xla_flags": "XLA flags",
    "flags": "TensorFlow's environment variables",
    "load_1min": "load at the start (1 min)",
}
"""How entries of the environment are named; others keep their key."""
_DEEPEST = 8


def workloads(request: RunRequest) -> Table:
    """Tabulate the scenarios of a run: what they compute, and the parameters of every size."""
    columns = (
        *(Column("scenario"), Column("size"), Column("parameters", "prose")),
        Column("what it computes", "prose"),
    )
    rows = [
        (name, size_label(size), parameters, "" if index else scenario.summary.replace("``", ""))
        for name, scenario in request.scenarios.items()
        for index, (size, parameters) in enumerate(scenario.sizes.items())
    ]
    return Table("What was compared", columns, rows).without_idle()


def modes(request: RunRequest) -> Table:
    """Tabulate what the run's modes are, as its record says."""
    columns = (Column("mode"), Column("kind"), Column("what it is", "prose"))
    about = request.about_modes
    rows = [
        (mode, kind, about[mode].summary)
        for kind, members in by_kind(about, kinds_of(request)).items()
        for mode in members
    ]
    return Table("The modes", columns, rows).without_idle("kind")


def passes(records: Iterable[PassRecord]) -> Table:
    """Tabulate the passes with the share of their time inside timed calls."""
    columns = (
        *(Column("pass"), Column("outcome", "status"), Column("start-up", "number")),
        *(Column("blocks", "number"), Column("inside timed calls", "number")),
        Column("warnings", "prose"),
    )
    note = "A pass is a fresh process. Start-up: importing TensorFlow. Blocks: the timed part."
    return Table("Passes", columns, [_pass(record) for record in records], note)


def _pass(record: PassRecord) -> tuple[str, ...]:
    share = percent(record.clock_s / record.blocks_s) if record.blocks_s else ""
    startup, blocks = seconds(record.startup_s), seconds(record.blocks_s)
    warnings = "; ".join(machine_warnings(record))
    return (str(record.number), record.outcome, startup, blocks, share, warnings)


def machine_warnings(record: PassRecord) -> list[str]:
    """List what the machine's state during a pass gave reason to warn of."""
    warnings = record.machine.get("warnings")
    return [str(warning) for warning in warnings] if isinstance(warnings, list) else []


def environment(frames: Frames) -> Table:
    """Tabulate what the run ran on, unknown entries too, and the options it was asked with."""
    found = {LABELS.get(key, key): _value(value) for key, value in frames.environment.items()}
    rows = list({**found, **_options(frames.request)}.items())
    return Table("Environment and options", (Column("what"), Column("value", "prose")), rows)


def _options(request: RunRequest) -> dict[str, str]:
    """The options that a reader may ask for; the rest of the request is the harness's own."""
    asked = "as many as precision and budget need" if request.passes is None else request.passes
    return {
        "passes asked for": str(asked),
        "precision asked for": f"±{percent(request.precision)}" if request.precision else "none",
        "budget": seconds(request.budget_s) if request.budget_s else "none",
        "logical CPUs": str(request.logical_cpus),
        "seed": str(request.seed),
    }


def _value(value: Any, depth: int = 0) -> str:
    if isinstance(value, dict | list) and depth > _DEEPEST:
        return "…"
    if isinstance(value, dict):
        inner = ", ".join(f"{key}={_value(each, depth + 1)}" for key, each in value.items())
        return inner or "none"
    if isinstance(value, list):
        return ", ".join(_value(each, depth + 1) for each in value) or "none"
    if value is None or isinstance(value, bool):
        return {None: "none", True: "yes", False: "no"}[value]
    return str(value) or "not set"
