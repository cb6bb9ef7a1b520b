"""Tables of the check: statuses, tensors, declared differences, training, checkpoints."""

from __future__ import annotations

from collections.abc import Iterable

from eager_vs_graph.reports.formatting import error, is_number, significant, ulps
from eager_vs_graph.reports.labels import workload
from eager_vs_graph.reports.matrix import matrix
from eager_vs_graph.reports.table import Column, Row, Table
from eager_vs_graph.results.cells import Cell
from eager_vs_graph.results.mode_kinds import Kinds
from eager_vs_graph.results.record import AGREEING, CellParity, CheckpointParity, TensorComparison
from eager_vs_graph.statistics.summary import summary_rows
from eager_vs_graph.statistics.training_curves import curves, furthest

_CELL = (Column("scenario"), Column("mode"), Column("inputs"), Column("device"))


def statuses(parity: Iterable[CellParity], kinds: Kinds) -> Table:
    """Tabulate the status of every cell: a row a scenario and size, a column a mode."""
    found = matrix(parity, kinds)
    columns = (Column("scenario"), *(Column(mode, "status") for mode in found.modes))
    rows = [
        (workload(*key), *(of_mode[mode] for mode in found.modes))
        for key, of_mode in found.rows.items()
    ]
    note = (
        "Outputs and variables of each mode against eager and the reference. A status in brackets "
        "holds for these inputs or devices; the others agree. (known): the scenario declares it."
    )
    groups = tuple((kind, len(members)) for kind, members in found.groups.items())
    return Table(
        "Status by scenario and mode", columns, rows, note, groups if len(groups) > 1 else ()
    )


def tensors(parity: Iterable[CellParity]) -> Table:
    """Tabulate every tensor of every cell against eager and the reference.

    A cell without any, because it failed, has a row with its status.
    """
    columns = (
        *_CELL,
        *(Column("tensor"), Column("against"), Column("status", "status")),
        *(Column("absolute", "number"), Column("relative", "number"), Column("ULP", "number")),
        Column("detail", "prose"),
    )
    rows: list[Row] = []
    for cell in parity:
        named = _named(cell)
        rows += [(*named, *_tensor(tensor)) for tensor in cell.tensors]
        if not cell.tensors:
            rows.append((*named, "", "", cell.status, "", "", "", ""))
    note = "Largest absolute and relative error and distance in ULPs over all compared steps."
    table = Table("Every tensor", columns, rows, note, sectioned=True)
    return table.without_idle("device", "inputs")


def _tensor(tensor: TensorComparison) -> Row:
    declared = tensor.known and tensor.status not in AGREEING
    return (
        *(tensor.tensor, tensor.against),
        f"{tensor.status} (known)" if declared else tensor.status,
        *(error(tensor.max_abs), error(tensor.max_rel), ulps(tensor.max_ulp)),
        tensor.detail or tensor.lost_detail or _worst(tensor),
    )


def _worst(tensor: TensorComparison) -> str:
    """Locate the worst element: ``step 0 [2]: 2.06e-09, reference 0.0``."""
    if tensor.worst_step is None or tensor.value is None:
        return ""
    index = f" {list(tensor.worst_index)}" if tensor.worst_index else ""
    return f"step {tensor.worst_step}{index}: {tensor.value}, {tensor.against} {tensor.reference}"


def known_differences(parity: Iterable[CellParity]) -> Table:
    """Tabulate every difference that a scenario declares, with its reason."""
    columns = (
        *_CELL,
        *(Column("tensor"), Column("against"), Column("status", "status")),
        *(Column("value", "number"), Column("should be", "number"), Column("ULP", "number")),
        Column("reason", "prose"),
    )
    rows = [
        (
            *_named(cell),
            *(tensor.tensor, tensor.against, f"{tensor.status} (known)"),
            *(tensor.value or "", tensor.reference or "", ulps(tensor.max_ulp)),
            tensor.known,
        )
        for cell in parity
        for tensor in cell.tensors
        if tensor.known and tensor.status not in AGREEING
    ]
    return Table("Declared differences", columns, rows).without_idle("device")


def training(parity: Iterable[CellParity]) -> Table:
    """Tabulate what training reached, one column a mode."""
    values: dict[tuple[str, str, str, str], dict[str, str]] = {}
    entries = list(parity)
    for entry in entries:
        cell = Cell.parse(entry.cell)
        for quantity, value in entry.learned.items():
            key = (workload(cell.scenario, cell.size), quantity, cell.inputs, cell.device)
            values.setdefault(key, {})[cell.mode] = _finite(value)
    for row in summary_rows(curves(entries, {})):
        shown = {"first": _finite(row.values[0]), "last": _finite(row.values[-1])}
        if row.distance is not None:
            shown["furthest from eager"] = error(furthest(row.distance).distance)
        for what, text in shown.items():
            name, quantity = workload(row.scenario, row.size), f"{row.output}: {what}"
            values.setdefault((name, quantity, row.inputs, row.device), {})[row.mode] = text
    modes = list(dict.fromkeys(mode for by_mode in values.values() for mode in by_mode))
    columns = (
        *(Column("scenario"), Column("quantity"), Column("inputs"), Column("device")),
        *(Column(mode, "number") for mode in modes),
    )
    rows = [(*key, *(by_mode.get(m, "") for m in modes)) for key, by_mode in values.items()]
    return Table("What training reached", columns, rows).without_idle("device", "inputs")


def checkpoints(pairs: Iterable[CheckpointParity]) -> Table:
    """Tabulate the mode that wrote a checkpoint by the mode that restored it."""
    found: dict[tuple[str, str], dict[str, str]] = {}
    for pair in pairs:
        wrote, read = Cell.parse(pair.wrote), Cell.parse(pair.read)
        row = found.setdefault((workload(wrote.scenario, wrote.size), wrote.mode), {})
        row[read.mode] = f"{pair.status} (known)" if pair.known else pair.status
    readers = list(dict.fromkeys(mode for row in found.values() for mode in row))
    columns = (
        *(Column("scenario"), Column("written by")),
        *(Column(mode, "status") for mode in readers),
    )
    rows = [(*key, *(row.get(mode, "") for mode in readers)) for key, row in found.items()]
    note = (
        "A row's mode wrote the checkpoint, a column's mode restored it. Identical: every variable "
        "in it was restored bit for bit, and training on gave the writer's own bits; close: "
        "restored bit for bit, trained on within tolerance."
    )
    title = "Checkpoints: written by a row, restored by a column"
    return Table(title, columns, rows, note, sectioned=True)


def _named(parity: CellParity) -> Row:
    cell = Cell.parse(parity.cell)
    return (workload(cell.scenario, cell.size), cell.mode, cell.inputs, cell.device)


def _finite(value: float | None) -> str:
    return significant(value) if is_number(value) else "not finite"
