"""How scenarios, sizes and cells are named for people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from eager_vs_graph.catalog.user_code import DEFAULT_SIZE
from eager_vs_graph.reports.formatting import listed
from eager_vs_graph.results.cells import Cell


def size_label(size: str) -> str:
    """Return a size as it is shown: code of the user's own has none, and nothing stands for it."""
    return "" if size == DEFAULT_SIZE else size


def workload(scenario: str, size: str) -> str:
    """Name a scenario at a size: ``matmul_chain tiny``, ``make_step``."""
    return f"{scenario} {size_label(size)}".rstrip()


def cell_label(cell: Cell) -> str:
    """Name one cell in full: ``matmul_chain tiny in session (CPU:0, resident inputs)``."""
    named = workload(cell.scenario, cell.size)
    return f"{named} in {cell.mode} ({cell.device}, {cell.inputs} inputs)"


def in_words(cells: Sequence[Cell], every: Sequence[Cell]) -> str:
    """Name cells by scenario and size, with modes, and with device and policy where not all are.

    Args:
        cells: the cells to name.
        every: all that there are.
    """
    by_row = _by_row(every)
    named: dict[str, dict[str, list[str]]] = {}
    for (scenario, size), of in _by_row(cells).items():
        modes = [mode + qualified(some, by_row[scenario, size][mode]) for mode, some in of.items()]
        named.setdefault(scenario, {}).setdefault(", ".join(modes), []).append(size_label(size))
    return "; ".join(
        f"{' '.join(filter(None, [scenario, listed(sizes)]))} in {modes}"
        for scenario, of_scenario in named.items()
        for modes, sizes in of_scenario.items()
    )


def qualified(some: Sequence[Cell], every: Sequence[Cell]) -> str:
    """Say which of a mode's cells are meant: `` (fed)``, `` (GPU:0)``; nothing for all."""
    if len(some) == len(every):
        return ""
    inputs = list(dict.fromkeys(cell.inputs for cell in some))
    devices = list(dict.fromkeys(cell.device for cell in some))
    parts = [
        *(devices if len(devices) < len({cell.device for cell in every}) else []),
        *(inputs if len(inputs) < len({cell.inputs for cell in every}) else []),
    ]
    return f" ({', '.join(parts or ['some'])})"


def _by_row(cells: Iterable[Cell]) -> Mapping[tuple[str, str], Mapping[str, list[Cell]]]:
    rows: dict[tuple[str, str], dict[str, list[Cell]]] = {}
    for cell in cells:
        rows.setdefault((cell.scenario, cell.size), {}).setdefault(cell.mode, []).append(cell)
    return rows
