"""Why modes take as long as they do, as tables."""

from __future__ import annotations

from eager_vs_graph.catalog.target import CALL, FIT, FORWARD, PREDICT, TRAIN_STEP
from eager_vs_graph.reports.formatting import ratio, seconds
from eager_vs_graph.reports.table import Column, Table
from eager_vs_graph.reports.why_wording import shares
from eager_vs_graph.results.cells import Cell
from eager_vs_graph.results.why import CellWhy, Why

_CALLS = {
    (FORWARD, "eager"): "model(x)",
    (FORWARD, "function"): "tf.function(model)(x)",
    (FORWARD, "xla"): "tf.function(model, jit_compile=True)(x)",
    (PREDICT, "eager"): "model.predict(x)",
    (TRAIN_STEP, "eager"): "a training step, in eager",
    (TRAIN_STEP, "function"): "a training step, in tf.function",
    (FIT, "eager"): "model.fit(x, y)",
}
"""What a user writes, by part of a model and mode. Keras makes its own graphs in predict and fit,
which are called from Python."""


def calls_of_a_model(found: Why) -> Table:
    """A model's own calls against each other; without rows where there are not several."""
    calls = [cell for cell in found.cells if _name(cell) and not cell.error and cell.call_s]
    columns = (
        *(Column("call"), Column("latency", "number"), Column("to the fastest", "number")),
        Column("where the time goes", "prose"),
    )
    rows = []
    for kind in ((CALL, FORWARD, PREDICT), (TRAIN_STEP, FIT)):
        alike = sorted((c for c in calls if c.part in kind), key=lambda cell: cell.call_s)
        if len({cell.part for cell in alike}) > 1:
            rows += [_row(cell, alike[0].call_s) for cell in alike]
    return Table("The model's own calls", columns, rows)


def _row(cell: CellWhy, fastest_s: float) -> tuple[str, ...]:
    slower = ratio(cell.call_s / fastest_s)
    return _name(cell), seconds(cell.call_s), slower, shares(cell)


def _name(cell: CellWhy) -> str:
    part = FORWARD if cell.part == CALL else cell.part  # of a model that a factory made
    return _CALLS.get((part, Cell.parse(cell.cell).mode), "")
